"""Tokens and characters as ids."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

PADDING, UNKNOWN, START = range(3)


class Vocabulary:
    """The ids of tokens, or of characters: 0 is padding, 1 the unknown, an entry its line plus 2.

    Args:
        path: a file with an entry a line.
    """

    def __init__(self, path: Path) -> None:
        entries = path.read_bytes().split(b"\n")[:-1]
        self._ids = {entry: place for place, entry in enumerate(entries, UNKNOWN + 1)}
        self._ids[b""] = PADDING

    def find(self, token: bytes) -> int:
        """Returns the id of a token."""
        return self._ids.get(token, UNKNOWN)

    def find_letters(self, token: bytes, size: int) -> list[int]:
        """Returns the ids of the first `size` characters of a token, padded with 0."""
        # A character has four bytes at most.
        letters = token[: 4 * size].decode("utf-8", "ignore")[:size]
        ids = [0 if letter == "\0" else self.find(letter.encode()) for letter in letters]
        return ids + [PADDING] * (size - len(ids))


def pad(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns rows of ids as <int32>[rows, longest], padded with 0 and at least one wide."""
    padded = np.zeros((len(rows), max((len(row) for row in rows), default=0) or 1), np.int32)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def number_words(
    rows: Iterable[Sequence[bytes]], characters: Vocabulary, size: int
) -> dict[str, np.ndarray]:
    """Returns the letters of each distinct word, and where the words stand.

    Args:
        rows: the words of each text.
        characters: of the model.
        size: letters that are read of a word.

    Returns:
        `character_ids` <int32>[words, size], the first one padding, and `words` <int32>[rows,
        longest].
    """
    numbers = {b"": 0}
    places = [[numbers.setdefault(word, len(numbers)) for word in row] for row in rows]
    letters = [characters.find_letters(word, size) for word in numbers]
    return {"character_ids": np.array(letters, np.int32), "words": pad(places)}
