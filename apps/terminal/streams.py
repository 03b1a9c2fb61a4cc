"""Standard streams that are open, and that encode any text."""

import io
import os
import sys

_DESCRIPTORS = {0: ("stdin", os.O_RDONLY), 1: ("stdout", os.O_WRONLY), 2: ("stderr", os.O_WRONLY)}


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
            opened = open(number, "r" if mode == os.O_RDONLY else "w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, opened)
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
