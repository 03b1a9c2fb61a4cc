"""The tokenizer of taggers: words and their places in a text."""

import codecs
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .text import replacer

_REPLACEMENT = 0xFFFD
# A code point that is no character, with some after it.
_MARK = 0xDC00


class Words(NamedTuple):
    """The words of a text.

    Attributes:
        strings: of each, UTF-8.
        starts, ends: their places in code points; each byte that is not UTF-8 counts as one.
    """

    strings: list[bytes]
    starts: list[int]
    ends: list[int]


class WordSplitter:
    """Splits texts into words.

    Args:
        rules: of `data.text.word_tokenizer.rules_as_table`.
    """

    def __init__(self, rules: dict[str, Any]) -> None:
        self._outlines = spread(rules["outlines"])
        self._hidden = spread(rules["hidden"]).astype(bool)
        self._end = rules["end"].encode()
        self._marks = [replacer(pattern, rewrite) for pattern, rewrite in rules["marks"]]

    def split(self, text: bytes) -> Words:
        """Returns the words of a text, any bytes; every character but white space and invisible
        ones is in one."""
        codes, widths = _decode(text)
        places = np.cumsum(widths) - widths
        at = np.minimum(codes, len(self._outlines) - 1)
        # The code points after those of the table are for private use, but for tags.
        seen = ~(self._hidden[at] | (codes // 0x1000 == 0xE0))
        codes, places, widths, at = codes[seen], places[seen], widths[seen], at[seen]
        marked = self._outlines[at].astype(np.uint8).tobytes()
        for mark in self._marks:
            marked = mark(marked)
        letters = codes.astype("<u4").tobytes().decode("utf-32-le")
        begins, limits = places.tolist(), (places + widths).tolist()
        strings, starts, ends = [], [], []
        after = 0
        for piece in marked.split(self._end):
            # A piece is a word and the white space before it; the last one may have no word.
            after += len(piece)
            size = len(piece.strip())
            if size:
                strings.append(letters[after - size : after].encode())
                starts.append(begins[after - size])
                ends.append(limits[after - 1])
        return Words(strings, starts, ends)


def spread(ranges: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns a table of all code points from `[value, how many]` of each range."""
    values, counts = np.array(ranges, np.int64).T
    return np.repeat(values, counts)


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Returns the mark of bytes that are not UTF-8, which no valid text holds: it says how many."""
    assert isinstance(error, UnicodeDecodeError)
    return chr(_MARK + error.end - error.start), error.end


codecs.register_error("mark-wrong-bytes", _mark)


def _decode(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Returns the code points of a text and the numbers of their places, <int64>[letters] both.

    U+FFFD for bytes that are not UTF-8 has as many places as these bytes, all others have one.
    """
    letters = text.decode("utf-8", "mark-wrong-bytes").encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(letters, np.uint32).astype(np.int64)
    wrong = (codes >= _MARK) & (codes < _MARK + 8)
    return np.where(wrong, _REPLACEMENT, codes), np.where(wrong, codes - _MARK, 1)
