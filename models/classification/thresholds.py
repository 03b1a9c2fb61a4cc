"""Thresholds of the classes, chosen on the validation split for a stated goal.

A class that is one of several which exclude each other is chosen for the highest ratio of score to
threshold; any other for a score that reaches its threshold (`models.classification.decision`).
"""

import numpy as np
import tensorflow as tf
from sklearn.metrics import f1_score

from data.errors import choose

# Powers of the class frequency; 0 leaves the scores as they are.
STRENGTHS = np.linspace(0.0, 1.0, 21)
# F1 against a threshold jumps with single rows: the mean over this many neighbours on each side
# chose better on rows that it had not seen.
_NEIGHBOURS = 2
# Factors of a threshold that are tried, and how often each class has its turn.
_FACTORS = np.exp(np.linspace(-2.0, 2.0, 41))
_ROUNDS = 2
# A threshold is a positive number, if all scores of a class are 0, too.
_LEAST = 1e-30
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
            best = _best(figures)
            # The present one unless the other is better; of a lucky single one nothing is taken.
            if figures[best] > _macro_f1(scores, targets, thresholds, multi_label):
                thresholds = tried[best]
    return thresholds


THRESHOLDS = {"none": even, "prior": by_prior, "f1": by_f1}


def thresholds_for(
    goal: str, scores: np.ndarray, targets: np.ndarray, prior: np.ndarray, multi_label: bool
) -> np.ndarray:
    """The thresholds of all classes.

    A class that they would never give to a row, though it has some, gets the threshold with its
    best F1, if that is better for macro-F1: a model that ranks well may score a class low as a
    whole, and no power of its frequency helps it then.

    Args:
        goal: a name in `models.registry.THRESHOLDS`.
        scores: <float>[rows, num_classes], calibrated, of the validation split.
        targets: <float>[rows, num_classes], 0 or 1, likewise.
        prior: <float>[num_classes], frequency of each class in the training split.
        multi_label: whether a text may have any number of classes.

    Returns:
        Positive <float>[num_classes].

    Raises:
        ValueError: unknown goal.
    """
    choice = choose("goal of thresholds", goal, THRESHOLDS)
    thresholds = choice(scores, targets, prior, multi_label)
    return thresholds if goal == "none" else _rescued(scores, targets, thresholds, multi_label)


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
    tried, right, given = _all_of_class(scores, targets, thresholds, position, multi_label)
    precisions = right / given
    good = np.flatnonzero(precisions >= precision)
    chosen = good[-1] if len(good) else precisions.argmax()
    return _with(thresholds, position, tried[chosen])


def _rescued(scores, targets, thresholds, multi_label) -> np.ndarray:
    """`thresholds`, those of classes that no row is given though some have them changed."""
    truth = np.asarray(targets) > 0.5
    for position in np.flatnonzero(truth.any(axis=0)):
        if decide(scores / thresholds, multi_label).numpy()[:, position].any():
            continue
        tried, right, given = _all_of_class(scores, targets, thresholds, position, multi_label)
        f1 = 2 * right / (given + truth[:, position].sum())
        changed = _with(thresholds, position, tried[f1.argmax()])
        before, after = (
            _macro_f1(scores, targets, each, multi_label) for each in (thresholds, changed)
        )
        thresholds = changed if after > before else thresholds
    return thresholds


def _all_of_class(
    scores, targets, thresholds, position, multi_label
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All thresholds of one class that differ in the rows that they give it, falling: themselves,
    how many of the rows given it have it, and how many are given it."""
    rivals = np.full(len(scores), 1.0)
    if not multi_label:
        others = np.delete(scores / thresholds, position, axis=1)
        rivals = others.max(axis=1)
    # A row is given the class if the threshold is at most this.
    limits = scores[:, position] / np.maximum(rivals, np.finfo(np.float64).tiny)
    order = np.argsort(-limits, kind="stable")
    limits, right = limits[order], (targets[order, position] > 0.5).cumsum()
    # Rows with one limit come together or not at all.
    last = np.flatnonzero(np.append(limits[1:] < limits[:-1], True))
    # Between two rows: neither is on the edge.
    between = (limits[last] + np.append(limits[last[1:]], 0.0)) / 2
    return np.maximum(between, _LEAST), right[last], last + 1


def _with(thresholds: np.ndarray, position: int, value: float) -> np.ndarray:
    changed = np.array(thresholds, np.float64)
    changed[position] = value
    return changed


def _tried(thresholds: np.ndarray, position: int, multi_label: bool) -> list[np.ndarray]:
    present = thresholds[position]
    values = present * _FACTORS
    if multi_label:
        # Factors of the odds: it stays between 0 and 1.
        odds = present / (1 - present) * _FACTORS
        values = odds / (1 + odds)
    return [_with(thresholds, position, value) for value in values]


def _macro_f1(scores, targets, thresholds, multi_label) -> float:
    decided = decide(scores / thresholds, multi_label).numpy()
    return float(f1_score(targets > 0.5, decided, average="macro", zero_division=0))


def _best(figures: list[float]) -> int:
    """Where the smoothed figures are highest; of equal ones the first."""
    window = np.ones(2 * _NEIGHBOURS + 1) / (2 * _NEIGHBOURS + 1)
    smooth = np.convolve(np.pad(figures, _NEIGHBOURS, mode="edge"), window, mode="valid")
    # Sums of equal numbers in another order differ in the last digits.
    return int(np.argmax(np.round(smooth, 9)))
