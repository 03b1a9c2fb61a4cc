"""What the processes of a group tell the command that has started them."""

import logging
from typing import Any


class Mailbox:
    """Keeps what it is told until it is asked; one of it is an actor of Ray."""

    def __init__(self) -> None:
        self._letters: list[tuple[Any, ...]] = []
        self._groups = 0

    def put(self, *letter: Any) -> None:
        """Keeps a letter."""
        self._letters.append(letter)

    def take(self) -> list[tuple[Any, ...]]:
        """Returns all letters since the last call, in the order in which they came."""
        letters, self._letters = self._letters, []
        return letters

    def count_group(self) -> int:
        """Returns how many groups have begun before this one."""
        self._groups += 1
        return self._groups - 1


class MailHandler(logging.Handler):
    """Sends messages to a mailbox.

    Args:
        mailbox: the actor.
    """

    def __init__(self, mailbox: Any) -> None:
        super().__init__()
        self._mailbox = mailbox

    def emit(self, record: logging.LogRecord) -> None:
        self._mailbox.put.remote("said", record.levelno, record.getMessage())
