"""CIDEr-D (Vedantam et al. 2015): whether a caption says what people say of this picture alone."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Words = Sequence[str]
_Gram = tuple[str, ...]
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
    """Computes CIDEr-D by picture; that of a split is the mean.

    An n-gram of one to four words weighs as much as it is frequent in a caption and rare in the
    references of other pictures. For each length, a caption is as similar to a reference as the
    cosine of the vectors of these weights, of which the caption's are clipped at the reference's,
    times exp(-d^2 / 72) if their lengths differ by d words. The score is ten times the mean over
    references and lengths. As in the authors' code, frequencies are those of these references, so
    that a single picture scores 0.

    Args:
        captions: the words of one caption a picture.
        references: by picture, the words of its references.

    Returns:
        <float64>[pictures], from 0 to 10.
    """
    counted = [[_count(reference) for reference in group] for group in references]
    frequency = Counter(gram for group in counted for gram in set().union(*group))
    pictures = math.log(max(len(counted), 1))
    weight = {gram: pictures - math.log(count) for gram, count in frequency.items()}
    scores = np.zeros(len(counted))
    for place, (caption, group) in enumerate(zip(captions, references, strict=True)):
        # What no reference has weighs as much as what one picture's have.
        said = _weigh(_count(caption), weight, pictures)
        similarities = [
            _similarity(said, _weigh(counts, weight, pictures))
            * math.exp(-((len(caption) - len(reference)) ** 2) / (2 * _SIGMA**2))
            for counts, reference in zip(counted[place], group, strict=True)
        ]
        scores[place] = _SCALE * float(np.mean(similarities)) if similarities else 0.0
    return scores


def _count(words: Words) -> Counter[_Gram]:
    return Counter(
        tuple(words[start : start + length])
        for length in range(1, _LONGEST + 1)
        for start in range(len(words) - length + 1)
    )


def _weigh(counts: Counter[_Gram], weight: dict[_Gram, float], rarest: float) -> list[_Vector]:
    """Returns the weights of all n-grams of a caption by their length."""
    parts: list[dict[_Gram, float]] = [{} for _ in range(_LONGEST)]
    for gram, count in counts.items():
        parts[len(gram) - 1][gram] = count * weight.get(gram, rarest)
    return [_Vector(part, math.hypot(*part.values())) for part in parts]


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
