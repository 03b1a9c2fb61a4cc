"""Messages about what happens: one logger, and what shows it on a terminal.

A library user adds handlers to `LOGGER`, or to one above it, as to any other; the command line adds
a `TerminalHandler`.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LOGGER = logging.getLogger("recurrent_text_suite")
LOGGER.setLevel(logging.INFO)
# Without a handler Python itself would print warnings.
LOGGER.addHandler(logging.NullHandler())

# Controls but tab and line feed (an escape sequence begins with one), marks that reorder a line
# (Boucher & Anderson 2021, "Trojan Source"), line separators, and bytes that were not UTF-8.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: object) -> str:
    r"""Escapes what a terminal would obey instead of show: ESC becomes `\x1b`.

    Texts, class names, column names and paths come from outside, and any of them may hold an
    escape sequence.
    """
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], str(text))


def say(text: object) -> None:
    """Logs a text that may hold anything, as `printable` shows it."""
    LOGGER.info(printable(text))


def detail(text: object) -> None:
    """Logs what experts want to know, shown with `--verbose`."""
    LOGGER.debug(printable(text))


def warn(text: object) -> None:
    """Logs as a warning a text that may hold anything, as `printable` shows it."""
    LOGGER.warning(printable(text))


class TerminalHandler(logging.Handler):
    """Writes bare messages: warnings to standard error, all others to standard output.

    The streams are those of the moment. An error of a stream goes to whoever logs: nobody reads
    the output any more, or the disk behind it is full.
    """

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        print(record.getMessage(), file=stream, flush=True)


@contextmanager
def show_messages() -> Iterator[None]:
    """Shows messages on the terminal, and nowhere else, for a while."""
    handlers, propagate = LOGGER.handlers, LOGGER.propagate
    LOGGER.handlers, LOGGER.propagate = [TerminalHandler()], False
    try:
        yield
    finally:
        LOGGER.handlers, LOGGER.propagate = handlers, propagate


@contextmanager
def show_details() -> Iterator[None]:
    """Lets details be messages like all others, for a while."""
    level = LOGGER.level
    LOGGER.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        LOGGER.setLevel(level)


def is_watched() -> bool:
    """Returns whether messages go to a terminal, where a progress bar can grow."""
    shown = any(isinstance(handler, TerminalHandler) for handler in LOGGER.handlers)
    return shown and sys.stdout.isatty()
