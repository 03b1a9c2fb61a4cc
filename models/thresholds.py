"""Thresholds of the classes, chosen on the validation split for a stated goal.

A class that is one of several which exclude each other is chosen for the highest ratio of score to
threshold; any other for a score that reaches its threshold (`models.decision`).
"""

import numpy as np
import tensorflow as tf
from sklearn.metrics import f1_score

from data.errors import choose
from models.names import THRESHOLDS

# Powers of the class frequency; 0 leaves the scores as they are.
STRENGTHS = np.linspace(0.0, 1.0, 21)
# F1 against a threshold jumps with single rows: the mean over this many neighbours on each side
# chose better on rows that it had not seen.
_NEIGHBOURS = 2
# Factors of a threshold that are tried, and how often each class has its turn.
_FACTORS = np.exp(np.linspace(-2.0, 2.0, 41))
_ROUNDS = 2
_SINGLE_LABEL_START, _MULTI_LABEL_START = 1.0, 0.5


def decide(ratios, multi_label: bool) -> tf.Tensor:
    """<float>[rows, num_classes], scores by thresholds, to <bool>[rows, num_classes]."""
    ratios = tf.convert_to_tensor(ratios)
    if multi_label:
        return ratios >= 1.0
    best = tf.argmax(ratios, axis=1)
    return tf.one_hot(best, ratios.shape[1], on_value=True, off_value=False)


def even(scores, targets, prior, multi_label) -> np.ndarray:
    """The same for all classes: the most probable one, or each that is more probable than not."""
    start = _MULTI_LABEL_START if multi_label else _SINGLE_LABEL_START
    return np.full(scores.shape[1], start)


def by_prior(scores, targets, prior, multi_label) -> np.ndarray:
    """The power of the class frequencies with the best macro-F1, a single number for all classes.

    The post-hoc logit adjustment of Menon et al. (2021), "Long-tail learning via logit
    adjustment", section 4.1; one number cannot overfit the validation split by much. Of equally
    good ones the weakest.
    """
    if multi_label:
        return even(scores, targets, prior, multi_label)
    figures = [_macro_f1(scores, targets, prior**strength, False) for strength in STRENGTHS]
    return prior ** STRENGTHS[_best(figures)]


def by_f1(scores, targets, prior, multi_label) -> np.ndarray:
    """For each class in turn, twice, the threshold with the best macro-F1.

    One number a class follows the validation split closer than `by_prior` does: it wants hundreds
    of rows of each class.
    """
    thresholds = by_prior(scores, targets, prior, multi_label)
    for _ in range(_ROUNDS):
        for position in range(len(thresholds)):
            tried = _tried(thresholds, position, multi_label)
            figures = [_macro_f1(scores, targets, each, multi_label) for each in tried]
            # The present one unless another is better.
            if max(figures) > _macro_f1(scores, targets, thresholds, multi_label):
                thresholds = tried[_best(figures)]
    return thresholds


def thresholds_for(
    goal: str, scores: np.ndarray, targets: np.ndarray, prior: np.ndarray, multi_label: bool
) -> np.ndarray:
    """The thresholds of all classes.

    Args:
        goal: a name in `models.names.THRESHOLDS`.
        scores: <float>[rows, num_classes], calibrated, of the validation split.
        targets: <float>[rows, num_classes], 0 or 1, likewise.
        prior: <float>[num_classes], frequency of each class in the training split.
        multi_label: whether a text may have any number of classes.

    Returns:
        Positive <float>[num_classes].

    Raises:
        ValueError: unknown goal.
    """
    choice = globals()[choose("goal of thresholds", goal, THRESHOLDS)]
    return choice(scores, targets, prior, multi_label)


def for_precision(
    scores: np.ndarray,
    targets: np.ndarray,
    thresholds: np.ndarray,
    position: int,
    precision: float,
    multi_label: bool,
) -> np.ndarray:
    """`thresholds` with one class' changed to the highest recall that has the precision.

    Without any such threshold it is the one with the best precision.

    Args:
        scores, targets, multi_label: as in `thresholds_for`.
        thresholds: <float>[num_classes], of all classes.
        position: of the class.
        precision: the least that is wanted of it.
    """
    rivals = np.full(len(scores), 1.0)
    if not multi_label:
        others = np.delete(scores / thresholds, position, axis=1)
        rivals = others.max(axis=1)
    # A row is given the class if the threshold is at most this.
    limits = scores[:, position] / np.maximum(rivals, np.finfo(np.float64).tiny)
    order = np.argsort(-limits, kind="stable")
    limits, right = limits[order], (targets[order, position] > 0.5).cumsum()
    precisions = right / np.arange(1, len(limits) + 1)
    # Rows with one limit come together or not at all.
    last = np.append(limits[1:] < limits[:-1], True)
    good = np.flatnonzero(last & (precisions >= precision))
    chosen = good[-1] if len(good) else np.flatnonzero(last)[precisions[last].argmax()]
    below = limits[chosen + 1] if chosen + 1 < len(limits) else 0.0
    changed = np.array(thresholds, np.float64)
    # Between two rows: neither is on the edge.
    changed[position] = (limits[chosen] + below) / 2
    return changed


def _tried(thresholds: np.ndarray, position: int, multi_label: bool) -> list[np.ndarray]:
    present = thresholds[position]
    values = present * _FACTORS
    if multi_label:
        # Factors of the odds: it stays between 0 and 1.
        odds = present / (1 - present) * _FACTORS
        values = odds / (1 + odds)
    return [np.where(np.arange(len(thresholds)) == position, v, thresholds) for v in values]


def _macro_f1(scores, targets, thresholds, multi_label) -> float:
    decided = decide(scores / thresholds, multi_label).numpy()
    return float(f1_score(targets > 0.5, decided, average="macro", zero_division=0))


def _best(figures: list[float]) -> int:
    """Where the smoothed figures are highest; of equal ones the first."""
    window = np.ones(2 * _NEIGHBOURS + 1) / (2 * _NEIGHBOURS + 1)
    smooth = np.convolve(np.pad(figures, _NEIGHBOURS, mode="edge"), window, mode="valid")
    # Sums of equal numbers in another order differ in the last digits.
    return int(np.argmax(np.round(smooth, 9)))
