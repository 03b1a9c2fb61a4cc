"""Stops a training when a loss, weight or metric is NaN or infinite."""

import math

import keras
import tensorflow as tf

from data.errors import UserError


class Diverged(UserError):
    """A loss, a weight or a metric is NaN or infinite."""

    def __init__(self, value: float, when: str) -> None:
        super().__init__(
            f"the training diverged: it gives {value} {when}. "
            "Lower --learning-rate or --clip-norm, or lengthen --warmup"
        )


def check_metrics(metrics: dict[str, float], when: str) -> None:
    """Raises Diverged if a metric is NaN or infinite."""
    for value in metrics.values():
        if not math.isfinite(value):
            raise Diverged(value, when)


def check_weights(model: keras.Model, step: int) -> None:
    """Raises Diverged if a weight is NaN or infinite.

    A gradient can be NaN although the loss is finite; the next step's loss would show it, but a
    checkpoint may be written before that.
    """
    for weight in model.trainable_weights:
        # The sum of absolute values is finite if all of them are.
        total = float(tf.reduce_sum(tf.abs(tf.cast(weight.value, tf.float64))))
        if not math.isfinite(total):
            raise Diverged(total, f"as weights after step {step}")


class StopOnDivergence(keras.callbacks.Callback):
    """Stops a training whose loss is NaN or infinite: it cannot recover."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        assert logs is not None  # Keras passes what it has measured
        # This is the running mean of the epoch: once one step's loss is NaN, it stays NaN.
        if not math.isfinite(logs["loss"]):
            # On several devices the variable has a copy on each: a tensor has one value.
            step = int(tf.convert_to_tensor(self.model.optimizer.iterations))
            raise Diverged(logs["loss"], f"as loss in step {step}")
