"""Losses of classifiers: cross-entropy and focal loss, with class weights."""

from typing import Any

import keras
import numpy as np
from keras import ops


def class_weights(targets: np.ndarray, power: float) -> list[float]:
    """Computes weights that grow as classes get rarer, with a mean of 1 over the examples.

    Args:
        targets: <float32>[rows, num_classes], of the training split.
        power: 0 for equal weights, 1 for the inverse of the frequency.

    Returns:
        One weight per class.
    """
    frequency = np.maximum(targets.mean(axis=0), 1 / len(targets))
    weights = frequency**-power
    return (weights * frequency.sum() / (weights * frequency).sum()).tolist()


def classification_loss(
    multi_label: bool, weights: list[float], gamma: float, label_smoothing: float
) -> keras.losses.Loss:
    """Returns the loss of a classifier, on logits.

    Args:
        multi_label: independent probabilities (sigmoid) instead of a softmax.
        weights: one per class, from `class_weights`.
        gamma: focus on hard examples (Lin et al. 2017, "Focal Loss"); 0 is cross-entropy.
        label_smoothing: share of the target that is spread over all classes.
    """
    loss = FocalBinaryCrossentropy if multi_label else FocalCategoricalCrossentropy
    return loss(weights, gamma, label_smoothing)


class _FocalCrossentropy(keras.losses.Loss):
    """Focal loss on logits with one weight per class.

    Keras' focal losses clip probabilities, so that a row which is confidently wrong has no
    gradient, and the binary one has a single weight for all classes.

    Args:
        weights: one per class.
        gamma, label_smoothing: as in `classification_loss`.

    Call arguments:
        y_true: <float32>[batch, num_classes].
        y_pred: <float32>[batch, num_classes], logits.
    """

    def __init__(
        self,
        weights: list[float],
        gamma: float = 0.0,
        label_smoothing: float = 0.0,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.weights, self.gamma, self.label_smoothing = list(weights), gamma, label_smoothing

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "weights": self.weights,
            "gamma": self.gamma,
            "label_smoothing": self.label_smoothing,
        }


@keras.saving.register_keras_serializable(package="models")
class FocalCategoricalCrossentropy(_FocalCrossentropy):
    """`-sum_c w_c y_c (1 - p_c)^gamma log p_c` with `p = softmax(logits)` (Lin et al. 2017, eq. 5).

    Smoothing spreads its share of the target over all classes evenly.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / len(self.weights)
        log_p = ops.log_softmax(y_pred, axis=-1)
        weights = ops.convert_to_tensor(self.weights, y_pred.dtype)
        losses = weights * y_true * log_p
        if self.gamma:
            # The floor keeps the gradient finite where p is 1 and gamma below 1.
            losses = losses * ops.power(ops.maximum(-ops.expm1(log_p), 1e-7), self.gamma)
        return -ops.sum(losses, axis=-1)


@keras.saving.register_keras_serializable(package="models")
class FocalBinaryCrossentropy(_FocalCrossentropy):
    """`-sum_c w_c y_c (1 - p_c)^gamma log p_c + (1 - y_c) p_c^gamma log(1 - p_c)`, `p = sigmoid`.

    Weights count for positive examples; smoothing moves targets from 0 and 1 towards a half.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true = y_true * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
        log_p, log_q = ops.log_sigmoid(y_pred), ops.log_sigmoid(-y_pred)
        hard_positive, hard_negative = ops.exp(self.gamma * log_q), ops.exp(self.gamma * log_p)
        weights = ops.convert_to_tensor(self.weights, y_pred.dtype)
        losses = hard_positive * weights * y_true * log_p + hard_negative * (1.0 - y_true) * log_q
        return -ops.sum(losses, axis=-1)
