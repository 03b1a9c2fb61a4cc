"""Characters that nobody sees: Unicode's default ignorable ones, and those of annotations.

They say how other characters look, join, break or run. A text with and without them looks the same,
so it has to have the same tokens; else a soft hyphen inside of a word would be a way around a
filter. What reads texts drops all of them.

Two of them, the joiners, are part of the spelling in Persian, in the scripts of India and in emoji
of several parts. Classifiers and taggers drop them, too: texts are written with and without them
there, and what is meant does not change. Language models and translators keep them in their place,
since what they write has to be spelled well.
"""

import re

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
    """A class of characters, for RE2 and Python's `re` alike."""
    return f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)}]"


INVISIBLE = _pattern(_JOINERS, *_OTHERS)
FORMAT_CHARACTERS = _pattern(*_OTHERS)
# For RE2: between two of these, which the groups hold, or at an end of a text, a joiner does
# nothing.
_UNJOINED = r"\p{Latin}\p{Greek}\p{Cyrillic}0-9\p{P}\p{Z}\p{Cc}"
NEEDLESS_JOINERS = rf"(^|[{_UNJOINED}]){_pattern(_JOINERS)}+([{_UNJOINED}]|$)"

_INVISIBLE = re.compile(INVISIBLE)


def is_invisible(character: str) -> bool:
    """Whether a character is invisible and takes no room, not even that of a space."""
    return _INVISIBLE.fullmatch(character) is not None


def drop_invisible(text: str) -> str:
    """Drops the invisible characters of a text, those that join others included."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
