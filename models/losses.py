"""Losses of classifiers: cross-entropy and focal loss, with class weights."""

import keras
import numpy as np
from keras import ops


def class_weights(targets: np.ndarray, power: float) -> list[float]:
    """Weights that grow as classes get rarer, with a mean of 1 over the examples.

    Args:
        targets: <float32>[rows, num_classes], of the training split.
        power: 0 for equal weights, 1 for the inverse of the frequency.

    Returns:
        One weight a class.
    """
    frequency = np.maximum(targets.mean(axis=0), 1 / len(targets))
    weights = frequency**-power
    return (weights * frequency.sum() / (weights * frequency).sum()).tolist()


def classification_loss(
    multi_label: bool, weights: list[float], gamma: float, label_smoothing: float
) -> keras.losses.Loss:
    """The loss on logits.

    Args:
        multi_label: independent probabilities (sigmoid) instead of shares of one (softmax).
        weights: one a class, from `class_weights`.
        gamma: focus on hard examples (Lin et al. 2017, "Focal Loss"); 0 is cross-entropy.
        label_smoothing: share of the target spread over all classes.
    """
    if multi_label:
        return FocalBinaryCrossentropy(weights, gamma, label_smoothing)
    if gamma == 0 and len(set(weights)) == 1:
        return keras.losses.CategoricalCrossentropy(True, label_smoothing)
    return keras.losses.CategoricalFocalCrossentropy(
        alpha=weights, gamma=gamma, from_logits=True, label_smoothing=label_smoothing
    )


@keras.saving.register_keras_serializable(package="models")
class FocalBinaryCrossentropy(keras.losses.Loss):
    """Sum over classes of `-(1 - p)^gamma w y log p - p^gamma (1 - y) log(1 - p)`.

    Keras' own has one weight for all classes.

    Args:
        weights: one a class, for its positive examples.
        gamma: as in `classification_loss`.
        label_smoothing: moves targets from 0 and 1 towards a half.

    Call arguments:
        y_true: <float32>[batch, num_classes].
        y_pred: <float32>[batch, num_classes], logits.
    """

    def __init__(
        self,
        weights: list[float],
        gamma: float = 0.0,
        label_smoothing: float = 0.0,
        name: str = "focal_binary_crossentropy",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.weights, self.gamma, self.label_smoothing = weights, gamma, label_smoothing

    def call(self, y_true, y_pred):
        y_true = y_true * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
        log_p, log_q = ops.log_sigmoid(y_pred), ops.log_sigmoid(-y_pred)
        hard_positive, hard_negative = ops.exp(self.gamma * log_q), ops.exp(self.gamma * log_p)
        weights = ops.convert_to_tensor(self.weights, y_pred.dtype)
        losses = hard_positive * weights * y_true * log_p + hard_negative * (1.0 - y_true) * log_q
        return -ops.sum(losses, axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "weights": self.weights,
            "gamma": self.gamma,
            "label_smoothing": self.label_smoothing,
        }
