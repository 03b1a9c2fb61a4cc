"""ROUGE-L of captions (Lin 2004), as the COCO evaluation computes it with several references."""

from collections.abc import Sequence

import numpy as np

# How much more recall counts than precision, in the F measure.
_BETA = 1.2


def rouge_l(
    captions: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
) -> np.ndarray:
    """Computes ROUGE-L by picture; that of a split is the mean.

    The longest sequence of words that a caption and a reference share, not necessarily side by
    side, gives a precision and a recall; the best precision and the best recall of all references
    make the F measure, with beta 1.2.

    Args:
        captions: the words of one caption a picture.
        references: by picture, the words of its references.

    Returns:
        <float64>[pictures], from 0 to 1.
    """
    pairs = zip(captions, references, strict=True)
    return np.array([_rouge_l(caption, group) for caption, group in pairs], np.float64)


def _rouge_l(caption: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    precision = recall = 0.0
    for reference in references:
        shared = longest_common(caption, reference)
        precision = max(precision, shared / max(len(caption), 1))
        recall = max(recall, shared / max(len(reference), 1))
    if not precision or not recall:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Returns the length of the longest sequence of words that stands in both, with gaps or not."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, candidate in enumerate(other, 1):
            above = row[place]
            row[place] = before + 1 if word == candidate else max(above, row[place - 1])
            before = above
    return row[-1]
