"""Outlines of texts: one ASCII character for each of their characters, for patterns to read.

With the letters of all scripts in their patterns, RE2 would run out of memory and be slow; and no
text can hold the marks that a tokenizer sets in an outline.
"""

import functools
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

# Code points from here on are rare ideographs, and then the invisible ones: all have the outline of
# the last code point before.
OUTLINED = 0x20000


@dataclass(frozen=True)
class Outlines:
    """The character that stands for each character in an outline.

    ASCII stands for itself. What no rule names is `*`.

    Attributes:
        alike: for single characters, such as the kinds of apostrophes.
        by_category: for the characters of a Unicode category ("Lu"), or of all that begin with a
            letter ("L").
        by_script: the outline of a character of certain scripts, by its Unicode name and category;
            None for other scripts.
    """

    alike: dict[str, str]
    by_category: dict[str, str]
    by_script: Callable[[str, str], str | None]

    def outline(self, codes: tf.Tensor) -> tf.Tensor:
        """Returns the code points of the outline of these code points, <int32>[any] both."""
        return tf.gather(self.table, clip_codes(codes))

    @functools.cached_property
    def table(self) -> np.ndarray:
        """<int32>[OUTLINED], of each code point."""
        outlines = (self._outline(chr(code)) for code in range(OUTLINED))
        return np.array([ord(outline) for outline in outlines], np.int32)

    def _outline(self, character: str) -> str:
        if " " <= character <= "~":
            return character
        category = unicodedata.category(character)
        script = self.by_script(unicodedata.name(character, ""), category)
        known = self.by_category.get(category) or self.by_category.get(category[0], "*")
        return script or self.alike.get(character, known)


def clip_codes(codes: tf.Tensor) -> tf.Tensor:
    """Returns code points as places in a table of `OUTLINED` rows, <int32>[any] both."""
    return tf.minimum(codes, OUTLINED - 1)


def to_ranges(table: np.ndarray) -> list[list[int]]:
    """Returns a table of code points, <int32>[any], as ranges of `[value, how many]`."""
    begins = np.flatnonzero(np.diff(table, prepend=table[0] - 1))
    counts = np.diff(begins, append=len(table))
    return [[int(table[at]), int(count)] for at, count in zip(begins, counts, strict=True)]
