"""Thresholds of the classes, chosen on the validation split for a stated goal.

Among classes that exclude each other, a text gets the one with the highest ratio of score to
threshold; otherwise each class whose score reaches its threshold (see
`models.classification.decision`).
"""

import numpy as np
import tensorflow as tf

from data.errors import choose

# Powers of the class frequency; 0 leaves the scores as they are.
STRENGTHS = np.linspace(0.0, 1.0, 21)
# F1 jumps with single rows as the threshold changes: the mean over this many neighbours on each
# side chose better thresholds for other rows.
_NEIGHBOURS = 2
# The factors by which a threshold is changed, and the rounds over all classes.
_FACTORS = np.exp(np.linspace(-2.0, 2.0, 41))
_ROUNDS = 2
# A threshold stays positive even if all scores of a class are 0.
_LEAST = 1e-30
_SINGLE_LABEL_START, _MULTI_LABEL_START = 1.0, 0.5


def decide(ratios: tf.Tensor | np.ndarray, multi_label: bool) -> tf.Tensor:
    """Chooses the classes of each row.

    Args:
        ratios: <float>[rows, num_classes], scores divided by thresholds.
        multi_label: whether a row may have any number of classes.

    Returns:
        <bool>[rows, num_classes].
    """
    ratios = tf.convert_to_tensor(ratios)
    if multi_label:
        return ratios >= 1.0
    best = tf.argmax(ratios, axis=1)
    return tf.one_hot(best, ratios.shape[1], on_value=True, off_value=False)


def choose_equal(
    scores: np.ndarray, targets: np.ndarray, prior: np.ndarray, multi_label: bool
) -> np.ndarray:
    """Gives all classes one threshold: the most probable class wins, or each above one half."""
    start = _MULTI_LABEL_START if multi_label else _SINGLE_LABEL_START
    return np.full(scores.shape[1], start)


def choose_by_prior(
    scores: np.ndarray, targets: np.ndarray, prior: np.ndarray, multi_label: bool
) -> np.ndarray:
    """Chooses the power of the class frequencies that gives the best macro-F1.

    The post-hoc logit adjustment of Menon et al. (2021), "Long-tail learning via logit
    adjustment", section 4.1; one number for all classes cannot overfit the validation split by
    much. Of equally good powers the smallest is chosen.
    """
    if multi_label:
        return choose_equal(scores, targets, prior, multi_label)
    f1 = [_macro_f1(scores, targets, prior**strength, False) for strength in STRENGTHS]
    return prior ** STRENGTHS[_best_position(f1)]


def choose_by_f1(
    scores: np.ndarray, targets: np.ndarray, prior: np.ndarray, multi_label: bool
) -> np.ndarray:
    """Chooses for each class in turn, twice, the threshold with the best macro-F1.

    One number per class follows the validation split more closely than `choose_by_prior` does: it
    needs hundreds of rows of each class.
    """
    thresholds = choose_by_prior(scores, targets, prior, multi_label)
    for _ in range(_ROUNDS):
        for position in range(len(thresholds)):
            candidates = _vary_threshold(thresholds, position, multi_label)
            f1 = [_macro_f1(scores, targets, candidate, multi_label) for candidate in candidates]
            best = _best_position(f1)
            # Smoothing has chosen the candidate: its own F1 must be better, too.
            if f1[best] > _macro_f1(scores, targets, thresholds, multi_label):
                thresholds = candidates[best]
    return thresholds


THRESHOLDS = {"none": choose_equal, "prior": choose_by_prior, "f1": choose_by_f1}


def choose_thresholds(
    goal: str, scores: np.ndarray, targets: np.ndarray, prior: np.ndarray, multi_label: bool
) -> np.ndarray:
    """Chooses the thresholds of all classes.

    A class that has rows but would be given to none gets the threshold with its best F1, if that
    raises macro-F1: a model that ranks well may score a whole class low, and then no power of its
    frequency helps.

    Args:
        goal: a name in `models.registry.THRESHOLDS`.
        scores: <float>[rows, num_classes], calibrated, of the validation split.
        targets: <float>[rows, num_classes], 0 or 1, of the validation split.
        prior: <float>[num_classes], frequency of each class in the training split.
        multi_label: whether a text may have any number of classes.

    Returns:
        Positive <float>[num_classes].

    Raises:
        ValueError: unknown goal.
    """
    method = choose("goal of thresholds", goal, THRESHOLDS)
    thresholds = method(scores, targets, prior, multi_label)
    if goal == "none":
        return thresholds
    return _lower_for_lost_classes(scores, targets, thresholds, multi_label)


def choose_for_precision(
    scores: np.ndarray,
    targets: np.ndarray,
    thresholds: np.ndarray,
    position: int,
    precision: float,
    multi_label: bool,
) -> np.ndarray:
    """Sets one class' threshold to the one with the highest recall that has a wanted precision.

    Where none has the precision, it becomes the one with the best precision.

    Args:
        scores, targets, multi_label: as in `choose_thresholds`.
        thresholds: <float>[num_classes], of all classes.
        position: of the class.
        precision: the least precision that the class must have.

    Returns:
        <float>[num_classes].
    """
    candidates, right, given = _candidates(scores, targets, thresholds, position, multi_label)
    precisions = right / given
    good = np.flatnonzero(precisions >= precision)
    chosen = good[-1] if len(good) else precisions.argmax()
    return _set_threshold(thresholds, position, candidates[chosen])


def _lower_for_lost_classes(
    scores: np.ndarray, targets: np.ndarray, thresholds: np.ndarray, multi_label: bool
) -> np.ndarray:
    """Lowers the threshold of each class that has rows but is given to none."""
    truth = np.asarray(targets) > 0.5
    for position in map(int, np.flatnonzero(truth.any(axis=0))):
        if decide(scores / thresholds, multi_label).numpy()[:, position].any():
            continue
        candidates, right, given = _candidates(scores, targets, thresholds, position, multi_label)
        f1 = 2 * right / (given + truth[:, position].sum())
        changed = _set_threshold(thresholds, position, candidates[f1.argmax()])
        before, after = (
            _macro_f1(scores, targets, values, multi_label) for values in (thresholds, changed)
        )
        thresholds = changed if after > before else thresholds
    return thresholds


def _candidates(
    scores: np.ndarray,
    targets: np.ndarray,
    thresholds: np.ndarray,
    position: int,
    multi_label: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lists all thresholds of one class that give it different rows, in falling order.

    Returns:
        The thresholds, how many of the rows that each gives the class have it, and how many rows
        each gives it.
    """
    rivals = np.full(len(scores), 1.0)
    if not multi_label:
        others = np.delete(scores / thresholds, position, axis=1)
        rivals = others.max(axis=1)
    # A row gets the class if the threshold is at most the row's limit.
    limits = scores[:, position] / np.maximum(rivals, np.finfo(np.float64).tiny)
    order = np.argsort(-limits, kind="stable")
    limits, right = limits[order], (targets[order, position] > 0.5).cumsum()
    # Rows with the same limit get the class together.
    last = np.flatnonzero(np.append(limits[1:] < limits[:-1], True))
    # Half-way between two rows, so that rounding moves neither over the threshold.
    between = (limits[last] + np.append(limits[last[1:]], 0.0)) / 2
    return np.maximum(between, _LEAST), right[last], last + 1


def _set_threshold(thresholds: np.ndarray, position: int, value: float) -> np.ndarray:
    changed = np.array(thresholds, np.float64)
    changed[position] = value
    return changed


def _vary_threshold(thresholds: np.ndarray, position: int, multi_label: bool) -> list[np.ndarray]:
    present = thresholds[position]
    values = present * _FACTORS
    if multi_label:
        # Factors of the odds keep the threshold between 0 and 1.
        odds = present / (1 - present) * _FACTORS
        values = odds / (1 + odds)
    return [_set_threshold(thresholds, position, value) for value in values]


def _macro_f1(
    scores: np.ndarray, targets: np.ndarray, thresholds: np.ndarray, multi_label: bool
) -> float:
    predicted = decide(scores / thresholds, multi_label).numpy()
    true = targets > 0.5
    # scikit-learn's f1_score checks its arguments for longer than it counts.
    hits, rows = (true & predicted).sum(axis=0), true.sum(axis=0) + predicted.sum(axis=0)
    return float((2 * hits / np.maximum(rows, 1)).mean())


def _best_position(values: list[float]) -> int:
    """Returns where the smoothed values are highest; the first of equal ones."""
    window = np.ones(2 * _NEIGHBOURS + 1) / (2 * _NEIGHBOURS + 1)
    smooth = np.convolve(np.pad(values, _NEIGHBOURS, mode="edge"), window, mode="valid")
    # Equal values summed in another order differ in the last digits.
    return int(np.argmax(np.round(smooth, 9)))
