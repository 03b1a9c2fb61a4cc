"""The program as the user has called it, for messages that name the next command."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Of the whole suite; setup.cfg reads it here.
VERSION = "0.1.0"
# What stands before the name of an application.
CONSOLE, MODULE = "recurrent-text ", "python -m apps."

_prefix = ContextVar("prefix", default=MODULE)


@contextmanager
def called_as(prefix: str) -> Iterator[None]:
    """Lets messages name commands with this prefix, for a while."""
    token = _prefix.set(prefix)
    try:
        yield
    finally:
        _prefix.reset(token)


def program_of(application: str) -> str:
    """Returns how the program of an application is called: `recurrent-text spam`."""
    return f"{_prefix.get()}{application}"


def command_line(application: str, *arguments: object) -> str:
    """Returns a command that can be pasted into a shell.

    Args:
        application: its name.
        arguments: the verb and its options, as the program receives them.
    """
    return f"{program_of(application)} {shlex.join(map(str, arguments))}"


def describe_version() -> str:
    """Returns what `--version` shows."""
    return f"recurrent-text {VERSION}"
