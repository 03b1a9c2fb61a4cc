"""Whether scores are the probabilities that they look like, and the temperature that makes them."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

# Guo et al. (2017) and most papers since.
BINS = 15
# exp of these: a model that is a hundred times too sure or too shy is past mending.
_LOG_TEMPERATURES = (-4.6, 4.6)
# The deviation of a temperature's logarithm, before any row has been seen: half as sure or twice as
# sure is common.
_DEVIATION = 0.5


def fit_temperature(logits: np.ndarray, targets: np.ndarray, multi_label: bool) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017, section 4.2), the
    most probable one under a log-normal prior around 1.

    It changes no ranking of classes within a text. The prior is nothing beside a thousand rows, and
    keeps a dozen, all of which a model may have right, from making it as sure as can be.

    Args:
        logits: <float32>[rows, num_classes], of rows that were not trained on.
        targets: <float32>[rows, num_classes], 0 or 1.
        multi_label: independent probabilities, instead of shares of one.
    """
    logits, targets = np.asarray(logits, np.float64), np.asarray(targets, np.float64)

    def cost(log_temperature: float) -> float:
        prior = (log_temperature / _DEVIATION) ** 2 / 2
        scaled = logits / np.exp(log_temperature)
        return negative_log_likelihood(scaled, targets, multi_label) + prior

    if not len(logits):
        return 1.0
    found = minimize_scalar(cost, bounds=_LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))


def negative_log_likelihood(logits: np.ndarray, targets: np.ndarray, multi_label: bool) -> float:
    """The sum over rows, in nats; arguments as `fit_temperature`."""
    if multi_label:
        # -log sigmoid(x) = log(1 + exp(-x)), of the right side of each.
        return float(np.logaddexp(0.0, np.where(targets > 0.5, -logits, logits)).sum())
    return float(-(targets * log_softmax(logits, axis=1)).sum())


def reliability(
    logits: np.ndarray, targets: np.ndarray, multi_label: bool, temperature: float
) -> dict:
    """How often the model is right, by how sure it is.

    Sureness is the highest score of a text and right is its class; in multi-label, sureness is the
    score of each class and right is that the class applies.

    Args:
        logits, targets, multi_label: as `fit_temperature`.
        temperature: the logits are divided by it.

    Returns:
        `ece`, the expected calibration error (Naeini et al. 2015): the mean over rows of the
        distance between sureness and accuracy in the bin of the row, and `bins` of equal width,
        those that hold rows: `sureness`, `accuracy`, `rows`.
    """
    scaled = np.asarray(logits, np.float64) / temperature
    truth = targets > 0.5
    if multi_label:
        sure, right = expit(scaled).ravel(), truth.ravel()
    else:
        scores = softmax(scaled, axis=1)
        best = scores.argmax(axis=1)[:, None]
        sure, right = scores.max(axis=1), np.take_along_axis(truth, best, axis=1)[:, 0]
    # The upper end belongs to the last bin.
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    filled = [
        {
            "sureness": float(sure[bins == number].mean()),
            "accuracy": float(right[bins == number].mean()),
            "rows": int((bins == number).sum()),
        }
        for number in np.unique(bins)
    ]
    distances = [each["rows"] * abs(each["accuracy"] - each["sureness"]) for each in filled]
    return {"ece": float(sum(distances) / max(len(sure), 1)), "bins": filled}
