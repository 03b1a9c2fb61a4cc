"""Characters that a text hides: those that HTML refers to, and those that nobody sees.

Invisible are Unicode's default ignorable characters, and those of annotations. They say how other
characters look, join, break or run. A text looks the same with and without them, so it has to have
the same tokens; else a soft hyphen inside a word would be a way around a filter. Whatever reads
texts drops all of them.

Two of them, the joiners, are part of the spelling in Persian, in the scripts of India and in emoji
of several parts. Classifiers and taggers drop them all the same: there, texts are written with and
without them, and the meaning does not change. Language models and translators keep them in their
place, since what they write has to be spelled well.
"""

import html
import re

# Of longer numbers the first eight digits will do: they are beyond Unicode's last character, too.
_REFERENCE = re.compile(
    r"&#(?:0*(?P<decimal>[0-9]{1,8})[0-9]*|[xX]0*([0-9a-fA-F]{1,8})[0-9a-fA-F]*)"
)

# Any white space that Python's `str.split` knows, for RE2, whose \s has only that of ASCII: French
# has a no-break space before a question mark.
WHITE_SPACE = r"[\s\x0b\x1c-\x1f\x{85}\p{Z}]+"

# First and last code point of each range.
_JOINERS = (0x200C, 0x200D)
_OTHERS = (
    (0xAD, 0xAD),  # soft hyphen
    (0x34F, 0x34F),  # combining grapheme joiner
    (0x61C, 0x61C),  # Arabic mark of direction
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # inherent vowels of Khmer
    (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
    (0x200B, 0x200B),  # zero-width space
    (0x200E, 0x200F),  # marks of direction
    (0x202A, 0x202E),  # embeddings and overrides of direction
    (0x2060, 0x206F),  # word joiner, invisible operators, isolates of direction
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF0, 0xFFFB),  # reserved; marks of annotations
    (0x1BCA0, 0x1BCA3),  # controls of shorthand
    (0x1D173, 0x1D17A),  # controls of music
    (0xE0000, 0xE0FFF),  # tags, variation selectors
)


def _pattern(*ranges: tuple[int, int]) -> str:
    """Returns a class of characters, for RE2 and Python's `re` alike."""
    return f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)}]"


INVISIBLE = _pattern(_JOINERS, *_OTHERS)
FORMAT_CHARACTERS = _pattern(*_OTHERS)
# For RE2: between two of these, which the groups hold, or at an end of a text, a joiner does
# nothing.
_UNJOINED = r"\p{Latin}\p{Greek}\p{Cyrillic}0-9\p{P}\p{Z}\p{Cc}"
NEEDLESS_JOINERS = rf"(^|[{_UNJOINED}]){_pattern(_JOINERS)}+([{_UNJOINED}]|$)"

_INVISIBLE = re.compile(INVISIBLE)


def unescape(text: str) -> str:
    """Decodes HTML's references to characters (`&amp;`, `&#233;`, `&#xE9;`).

    As `html.unescape`, which ends with a ValueError at a number of more than 4,300 digits; here, as
    in browsers, a number beyond Unicode becomes U+FFFD.

    Args:
        text: any string.
    """
    return html.unescape(_REFERENCE.sub(_shorten, text)) if "&" in text else text


def _shorten(reference: re.Match) -> str:
    decimal = reference["decimal"]
    return f"&#{decimal}" if decimal else f"&#x{reference[2]}"


def is_invisible(character: str) -> bool:
    """Returns whether a character is invisible and takes no room, not even that of a space."""
    return _INVISIBLE.fullmatch(character) is not None


def drop_invisible(text: str) -> str:
    """Drops the invisible characters of a text, those that join others included."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
