"""The linear model of n-grams beside a recurrent classifier."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .vocabulary import START

# Of one word, of two, of three.
_LONGEST = 3


class LinearModel:
    """What the n-grams of a text add to the logits.

    An n-gram counts once in a text, and each adds its coefficients divided by the square root of
    the number of those that the model knows.

    Args:
        keys: <int64>[n-grams], ascending.
        coefficients: <float32>[n-grams, num_classes].
        bias: <float32>[num_classes].
        vocabulary_size: above all ids.
    """

    def __init__(
        self, keys: np.ndarray, coefficients: np.ndarray, bias: np.ndarray, vocabulary_size: int
    ) -> None:
        self._keys, self._coefficients, self._bias = keys, coefficients, bias
        self._vocabulary_size = vocabulary_size

    @classmethod
    def load(cls, path: Path) -> list["LinearModel"]:
        """Reads the models in a file: their weights by name and number."""
        with np.load(path, allow_pickle=False) as arrays:
            return [
                cls(
                    arrays[f"keys_{number}"],
                    arrays[f"coefficients_{number}"],
                    arrays[f"bias_{number}"],
                    int(arrays["vocabulary_size"]),
                )
                for number in range(int(arrays["models"]))
            ]

    def logits(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Returns <float32>[texts, num_classes], by the token ids of each text."""
        return np.stack([self._bias + self._sum(np.array(row, np.int64)) for row in rows])

    def _sum(self, ids: np.ndarray) -> np.ndarray:
        # A shorter n-gram has the id 0 in place of the missing words.
        word = np.where(ids > START, ids, 0)
        keys = [word * self._vocabulary_size ** (_LONGEST - 1)]
        for power in reversed(range(_LONGEST - 1)):
            word = np.append(word[1:], 0)
            longer = keys[-1] + word * self._vocabulary_size**power
            keys.append(np.where((keys[-1] > 0) & (word > 0), longer, 0))
        found = np.unique(np.concatenate(keys))
        rows = np.minimum(np.searchsorted(self._keys, found), len(self._keys) - 1)
        known = rows[self._keys[rows] == found]
        total = self._coefficients[known].sum(axis=0, dtype=np.float32)
        return total / np.sqrt(np.float32(max(len(known), 1)))
