"""Calibration: how close scores are to probabilities, and the temperature that corrects them."""

from typing import Any

import numpy as np
from scipy.special import expit, log_softmax, softmax

# As in Guo et al. (2017) and most papers since.
BINS = 15
# Logarithms of the bounds: a model a hundred times too confident or too shy is beyond repair.
_LOG_TEMPERATURES = (-4.6, 4.6)
# The prior's standard deviation of a temperature's logarithm: half or twice the confidence is
# common.
_DEVIATION = 0.5


def fit_temperature(logits: np.ndarray, targets: np.ndarray, multi_label: bool) -> float:
    """Finds the temperature of least negative log-likelihood (Guo et al. 2017, section 4.2) under a
    log-normal prior around 1.

    It changes no ranking of classes within a text. A thousand rows overrule the prior; a dozen, all
    of which a model may have right, cannot make it as confident as the bounds allow.

    Args:
        logits: <float32>[rows, num_classes], of rows that were not trained on.
        targets: <float32>[rows, num_classes], 0 or 1.
        multi_label: scores are independent probabilities (sigmoid) instead of a softmax.
    """
    from scipy.optimize import minimize_scalar

    logits, targets = np.asarray(logits, np.float64), np.asarray(targets, np.float64)

    def cost(log_temperature: float) -> float:
        prior = (log_temperature / _DEVIATION) ** 2 / 2
        scaled = logits / np.exp(log_temperature)
        return negative_log_likelihood(scaled, targets, multi_label) + prior

    if not len(logits):
        return 1.0
    minimum = minimize_scalar(cost, bounds=_LOG_TEMPERATURES, method="bounded")
    return float(np.exp(minimum.x))


def negative_log_likelihood(logits: np.ndarray, targets: np.ndarray, multi_label: bool) -> float:
    """Sums the negative log-likelihood over rows, in nats; arguments as `fit_temperature`."""
    if multi_label:
        # -log sigmoid(x) = log(1 + exp(-x)); a class that does not apply has -x.
        return float(np.logaddexp(0.0, np.where(targets > 0.5, -logits, logits)).sum())
    return float(-(targets * log_softmax(logits, axis=1)).sum())


def reliability(
    logits: np.ndarray, targets: np.ndarray, multi_label: bool, temperature: float
) -> dict[str, Any]:
    """Compares how often a model is right with how confident it is.

    Its confidence is the highest score of a text, and it is right if the text has that class. With
    `multi_label` the score of each class counts, and the model is right if the class applies.

    Args:
        logits, targets, multi_label: as `fit_temperature`.
        temperature: the logits are divided by it.

    Returns:
        `ece`, the expected calibration error (Naeini et al. 2015): the mean over rows of the
        distance between confidence and accuracy in the row's bin, and `bins`, those of the
        equally wide bins that hold rows: `sureness` (mean confidence), `accuracy`, `rows`.
    """
    scaled = np.asarray(logits, np.float64) / temperature
    truth = targets > 0.5
    if multi_label:
        confidence, right = expit(scaled).ravel(), truth.ravel()
    else:
        scores = softmax(scaled, axis=1)
        best = scores.argmax(axis=1)[:, None]
        confidence, right = scores.max(axis=1), np.take_along_axis(truth, best, axis=1)[:, 0]
    # A confidence of 1 belongs to the last bin.
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    filled = [
        {
            "sureness": float(confidence[bins == number].mean()),
            "accuracy": float(right[bins == number].mean()),
            "rows": int((bins == number).sum()),
        }
        for number in np.unique(bins)
    ]
    distances = [row["rows"] * abs(row["accuracy"] - row["sureness"]) for row in filled]
    return {"ece": float(sum(distances) / max(len(confidence), 1)), "bins": filled}
