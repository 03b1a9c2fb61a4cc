"""Logit adjustment: a rare class gets its chance by a shift chosen on the validation split."""

import numpy as np
from sklearn.metrics import f1_score

STRENGTHS = np.linspace(0.0, 1.0, 21)
# Macro-F1 against strength jumps with single rows: the mean over this many neighbours on each side
# chose better on rows that it had not seen.
_NEIGHBOURS = 2


def best_strength(
    logits: np.ndarray, targets: np.ndarray, prior: np.ndarray
) -> tuple[float, float]:
    """The strength `t` for which `logits - t log(prior)` has the best macro-F1.

    The post-hoc logit adjustment of Menon et al. (2021), "Long-tail learning via logit
    adjustment", section 4.1; one number cannot overfit the validation split by much.

    Args:
        logits: <float32>[rows, num_classes], of the validation split.
        targets: <float32>[rows, num_classes], one-hot, likewise.
        prior: <float>[num_classes], frequency of each class in the training split.

    Returns:
        The strength, and the macro-F1 with it. Of equally good ones the weakest.
    """
    truth = targets.argmax(axis=1)
    scores = [
        f1_score(
            truth,
            (logits - strength * np.log(prior)).argmax(axis=1),
            average="macro",
            labels=range(len(prior)),
            zero_division=0,
        )
        for strength in STRENGTHS
    ]
    window = np.ones(2 * _NEIGHBOURS + 1) / (2 * _NEIGHBOURS + 1)
    smooth = np.convolve(np.pad(scores, _NEIGHBOURS, mode="edge"), window, mode="valid")
    # Sums of equal numbers in another order differ in the last digits.
    best = int(np.argmax(np.round(smooth, 9)))
    return float(STRENGTHS[best]), float(scores[best])
