"""Messages for a terminal, which no text that they quote can take over."""

import re

# Controls but tab and line feed (an escape sequence begins with one), marks that reorder a line
# (Boucher & Anderson 2021, "Trojan Source"), line separators, and bytes that were not UTF-8.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: object) -> str:
    r"""Escapes what a terminal would obey instead of show: ESC becomes `\x1b`.

    Texts, class names, column names and paths come from outside, and any of them may hold an
    escape sequence.
    """
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], str(text))


def say(text: object, file=None, end: str = "\n", flush: bool = False) -> None:
    """Prints a text that may hold anything, as `printable` shows it."""
    print(printable(text), file=file, end=end, flush=flush)
