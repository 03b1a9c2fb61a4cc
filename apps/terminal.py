"""Standard streams that are open, that encode any text, and that no text can take over."""

import io
import os
import re
import sys

# Controls but tab and line feed (an escape sequence begins with one), marks that reorder a line
# (Boucher & Anderson 2021, "Trojan Source"), line separators, and bytes that were not UTF-8.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_DESCRIPTORS = {0: ("stdin", os.O_RDONLY), 1: ("stdout", os.O_WRONLY), 2: ("stderr", os.O_WRONLY)}


def printable(text: object) -> str:
    r"""Escapes what a terminal would obey instead of show: ESC becomes `\x1b`.

    Texts, class names, column names and paths come from outside, and any of them may hold an
    escape sequence.
    """
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], str(text))


def say(text: object, file=None, end: str = "\n", flush: bool = False) -> None:
    """Prints a text that may hold anything, as `printable` shows it."""
    print(printable(text), file=file, end=end, flush=flush)


def prepare_streams() -> None:
    """Opens the standard streams that are closed, on the null device, and lets them take any text.

    A file that is opened later would otherwise get a closed stream's number, and what is meant for
    the terminal would end in it. Characters that the stream's encoding lacks are escaped.
    """
    for number, (name, mode) in _DESCRIPTORS.items():
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given, and those below are open.
            os.open(os.devnull, mode)
        if getattr(sys, name) is None:
            stream = open(number, "r" if mode == os.O_RDONLY else "w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon_output() -> None:
    """Sends to the null device what nobody can take any more, so that closing it does not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(null, stream.fileno())
    os.close(null)
