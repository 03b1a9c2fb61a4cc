"""CIDEr-D (Vedantam et al. 2015): whether a caption says what people say of this picture alone."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

# Of strings, or of ids.
Words = Sequence[Hashable]
_Gram = tuple[Hashable, ...]
_LONGEST = 4
# The standard deviation of the penalty on a difference of lengths, in words.
_SIGMA = 6.0
# CIDEr-D is ten times the mean similarity, to be of the size of other metrics.
_SCALE = 10.0


class _Vector(NamedTuple):
    """The weights of n-grams of one length, and the length of that vector."""

    weights: dict[_Gram, float]
    norm: float


def cider_d(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> np.ndarray:
    """Computes CIDEr-D by picture, with the frequencies of these references, as in the authors'
    code; that of a split is the mean. A single picture scores 0.

    Args:
        captions: the words of one caption a picture.
        references: by picture, the words of its references.

    Returns:
        <float64>[pictures], from 0 to 10.
    """
    scorer = CiderD(references)
    pairs = zip(captions, references, strict=True)
    scores = [scorer.scores([caption], group)[0] for caption, group in pairs]
    return np.array(scores, np.float64)


class CiderD:
    """CIDEr-D with the frequencies of known references.

    An n-gram of one to four words weighs as much as it is frequent in a caption and rare in the
    references of other pictures. For each length, a caption is as similar to a reference as the
    cosine of the vectors of these weights, of which the caption's are clipped at the reference's,
    times exp(-d^2 / 72) if their lengths differ by d words. The score is ten times the mean over
    references and lengths.

    Args:
        references: by picture, the words of its references; words are whatever can be compared.
    """

    def __init__(self, references: Sequence[Sequence[Words]]) -> None:
        frequency = Counter(
            gram for group in references for gram in set().union(*map(_count, group))
        )
        # What no reference has weighs as much as what one picture's have.
        self.rarest = math.log(max(len(references), 1))
        self.weight = {gram: self.rarest - math.log(count) for gram, count in frequency.items()}

    def scores(self, captions: Sequence[Words], references: Sequence[Words]) -> list[float]:
        """Scores captions of one picture.

        Args:
            captions: the words of each.
            references: the words of what people said of it.

        Returns:
            Of each caption, from 0 to 10; 0 without references.
        """
        wanted = [(len(each), self._weigh(each)) for each in references]
        scores = []
        for caption in captions:
            said = self._weigh(caption)
            total = sum(
                _similarity(said, vectors)
                * math.exp(-((len(caption) - length) ** 2) / (2 * _SIGMA**2))
                for length, vectors in wanted
            )
            scores.append(_SCALE * total / max(len(wanted), 1))
        return scores

    def _weigh(self, words: Words) -> list[_Vector]:
        """Returns the weights of all n-grams of a text by their length."""
        parts: list[dict[_Gram, float]] = [{} for _ in range(_LONGEST)]
        for gram, count in _count(words).items():
            parts[len(gram) - 1][gram] = count * self.weight.get(gram, self.rarest)
        return [_Vector(part, math.hypot(*part.values())) for part in parts]


def _count(words: Words) -> Counter[_Gram]:
    return Counter(
        tuple(words[start : start + length])
        for length in range(1, _LONGEST + 1)
        for start in range(len(words) - length + 1)
    )


def _similarity(caption: list[_Vector], reference: list[_Vector]) -> float:
    """Returns the mean clipped cosine over the lengths of n-grams."""
    total = 0.0
    for said, wanted in zip(caption, reference, strict=True):
        if said.norm and wanted.norm:
            product = sum(
                min(value, wanted.weights[gram]) * wanted.weights[gram]
                for gram, value in said.weights.items()
                if gram in wanted.weights
            )
            total += product / (said.norm * wanted.norm)
    return total / _LONGEST
