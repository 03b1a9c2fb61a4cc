"""The clean-up of texts by google-re2, from a table of steps."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import re2

# Capitals that Unicode has had since 14.0, to 17.0: TensorFlow, by which models learn, knows 13.0
# and leaves them as they are.
_NEW_CAPITALS = re.compile(
    "([\u2c2f\ua7c0\ua7cb\ua7cc\ua7ce\ua7d0\ua7d2\ua7d4\ua7d6\ua7d8\ua7da\ua7dc"
    "\U00010570-\U00010595\U00010d50-\U00010d65\U00016ea0-\U00016eb8])"
)
_REFERENCE = re.compile(rb"&#(?:([0-9]{1,7})|[xX]([0-9a-fA-F]{1,6}));")
_REPLACEMENT = "\ufffd"


def lower(text: bytes) -> bytes:
    """Turns the capitals of a valid text into small letters."""
    if text.isascii():
        return text.lower()
    # The capitals that are kept are every other part.
    parts = _NEW_CAPITALS.split(text.decode())
    return "".join(part if i % 2 else part.lower() for i, part in enumerate(parts)).encode()


def to_valid_utf8(text: bytes) -> bytes:
    """Replaces bytes that are not UTF-8 by U+FFFD."""
    return text.decode("utf-8", "replace").encode()


def decode_references(text: bytes) -> bytes:
    """Decodes HTML's references to characters by number: `&#128514;`, `&#x1F602;`."""
    return _REFERENCE.sub(_decode_reference, text)


def _decode_reference(match: re.Match) -> bytes:
    code = int(match[1]) if match[1] else int(match[2], 16)
    is_character = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return (chr(code) if is_character else _REPLACEMENT).encode()


def replacer(pattern: str, rewrite: str) -> Callable[[bytes], bytes]:
    """Returns what replaces the matches of an RE2 pattern in UTF-8.

    Args:
        pattern: RE2's.
        rewrite: text that replaces a match, with `\\1` for its first group.
    """
    if not re.search(r"[^\w&;]", pattern):
        # Nothing in it is special.
        old, new = pattern.encode(), rewrite.encode()
        return lambda text: text.replace(old, new)
    compiled = re2.compile(pattern)
    # google-re2 would read the rewrite anew at each match. Every other part is a group's number.
    parts = [
        int(part) if place % 2 else part
        for place, part in enumerate(re.split(rb"\\([0-9])", rewrite.encode()))
    ]
    literal = parts[0] if len(parts) == 1 else None

    def expand(match: Any) -> bytes:
        return b"".join(match[part] or b"" if isinstance(part, int) else part for part in parts)

    def replace(text: bytes) -> bytes:
        return compiled.sub(expand if literal is None else lambda _: literal, text)

    return replace


def shortener(letters: str) -> Callable[[bytes], bytes]:
    """Returns what cuts runs of three or more of one of these letters to two."""
    return partial(re.compile(rf"([{letters}])\1\1+".encode()).sub, rb"\1\1")


_STEPS: dict[str, Callable[..., Callable[[bytes], bytes]]] = {
    "utf8": lambda: to_valid_utf8,
    "replace": replacer,
    "shorten": shortener,
    "references": lambda: decode_references,
    "lower": lambda: lower,
}


class Splitter:
    """Cleans texts and splits them at white space.

    Args:
        steps: a table of `data.text_steps`, each step its name and what it needs.
    """

    def __init__(self, steps: Iterable[Sequence[str]]) -> None:
        self._steps = [_STEPS[name](*arguments) for name, *arguments in steps]

    def split(self, text: bytes) -> list[bytes]:
        """Returns the tokens of a text, any bytes."""
        for step in self._steps:
            text = step(text)
        return text.split()
