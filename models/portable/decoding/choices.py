"""Chooses the next token from logits: constraints first, then the likeliest one or a sample.

What is chosen is what `models.decoding` chooses by TensorFlow, for the same logits and random
numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..vocabulary import PADDING

# Most nuclei have fewer tokens, which are found in a fraction of the time that sorting all takes.
_FEW = 256
NEVER = np.float32("-inf")


@dataclass(frozen=True)
class Constraints:
    """Constraints on the tokens that are chosen.

    Attributes:
        banned_ids: tokens that are never chosen.
        min_length: the fewest tokens before the end.
        repetition_penalty: divides positive logits of tokens that the text already has and
            multiplies negative ones (Keskar et al. 2019, "CTRL", section 4.1); 1 for none.
        no_repeat_ngram: the length of n-grams that must not occur twice; 0 for none.
    """

    banned_ids: Sequence[int]
    min_length: int = 0
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0

    def apply(self, logits: np.ndarray, history: np.ndarray, length: int, end: int) -> np.ndarray:
        """Returns the logits to choose from, -inf for what may not be chosen.

        Args:
            logits: <float32>[rows, vocabulary_size].
            history: <int>[rows, time], the tokens so far, padded before them alone.
            length: how many of them were generated.
            end: the token that ends a text; -1 for none.
        """
        logits = logits.copy()
        if self.repetition_penalty != 1.0:
            for row, ids in zip(logits, history, strict=True):
                self._penalise(row, np.unique(ids[ids != PADDING]))
        if self.no_repeat_ngram:
            for row, ids in zip(logits, history, strict=True):
                row[self._ends_of_ngrams(ids[ids != PADDING].tolist())] = NEVER
        logits[:, [*self.banned_ids]] = NEVER
        if length < self.min_length and end >= 0:
            logits[:, end] = NEVER
        return logits

    def _penalise(self, row: np.ndarray, seen: np.ndarray) -> None:
        penalty, values = np.float32(self.repetition_penalty), row[seen]
        row[seen] = np.where(values > 0, values / penalty, values * penalty)

    def _ends_of_ngrams(self, ids: list[int]) -> list[int]:
        """Returns the tokens that followed earlier occurrences of the last n - 1 tokens."""
        before = self.no_repeat_ngram - 1
        last = ids[len(ids) - before :]
        return [
            ids[begin + before]
            for begin in range(len(ids) - before)
            if ids[begin : begin + before] == last
        ]


@dataclass(frozen=True)
class Sampling:
    """Draws tokens from the distribution of the model without its unreliable tail.

    The parameters apply in this order, each to what the previous one left, renormalised.

    Attributes:
        temperature: divides the logits; 0 for the most probable token.
        top_k: how many of the most probable tokens are kept (Fan et al. 2018); 0 for all.
        top_p: keeps the fewest most probable tokens that together have at least this probability
            (nucleus sampling, Holtzman et al. 2020); 1 for all.
        min_p: keeps tokens with at least this share of the highest probability (Nguyen et al.
            2024); 0 for all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def choose(self, logits: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Chooses the tokens where the cumulative distribution passes the uniform numbers.

        Args:
            logits: <float32>[rows, vocabulary_size], at least one of each row finite.
            uniform: <float32>[rows], from 0 to below 1.

        Returns:
            <int>[rows].
        """
        if self.temperature <= 0:
            return logits.argmax(axis=-1)
        chosen = [self._draw(row, number) for row, number in zip(logits, uniform, strict=True)]
        return np.array(chosen, np.int64)

    def _draw(self, logits: np.ndarray, uniform: np.float32) -> int:
        weights = np.exp((logits - logits.max()) / np.float32(self.temperature))
        ids = None
        if 0 < self.top_k < len(logits):
            ids = top(logits, self.top_k)
            weights = self._nucleus(weights[ids], weights[ids].sum())
        elif self.top_p < 1:
            total, ids = weights.sum(), top(logits, _FEW)
            if weights[ids].sum() < self.top_p * total:
                ids = top(logits, len(logits))
            weights = self._nucleus(weights[ids], total)
        weights = np.where(weights >= np.float32(self.min_p), weights, np.float32(0))
        sums = np.cumsum(weights)
        # The first one that passes; despite rounding never one without a probability.
        place = int(np.argmax((sums > uniform * sums[-1]) & (weights > 0)))
        return place if ids is None else int(ids[place])

    def _nucleus(self, weights: np.ndarray, total: np.float32) -> np.ndarray:
        """Applies `top_p` to sorted weights; all together sum to `total`."""
        before = np.cumsum(weights) - weights
        # The most probable token is kept even if `top_p` is 0.
        kept = (before < np.float32(self.top_p) * total) | (np.arange(len(weights)) == 0)
        return np.where(kept, weights, np.float32(0))


def top(values: np.ndarray, count: int) -> np.ndarray:
    """Returns the places of the highest values of a row, the highest first; of equals the first."""
    if count >= len(values):
        return np.argsort(-values, kind="stable")
    least = np.partition(values, len(values) - count)[len(values) - count]
    places = np.flatnonzero(values >= least)
    return places[np.argsort(-values[places], kind="stable")[:count]]


def log_sum_exp(logits: np.ndarray) -> np.ndarray:
    """Returns the logarithm of the summed exponentials of each row, <float32>[rows]."""
    peak = logits.max(axis=-1)
    peak = np.where(np.isfinite(peak), peak, np.float32(0))
    with np.errstate(divide="ignore"):
        return peak + np.log(np.exp(logits - peak[:, None]).sum(axis=-1))
