"""A training whose loss, weights or figures are no numbers any more is over."""

import math

import keras
import tensorflow as tf

from data.errors import UserError


class Diverged(UserError):
    """A loss, a weight or a figure is no number any more."""

    def __init__(self, value: float, when: str):
        super().__init__(
            f"the training diverged: it gives {value} {when}. "
            "Lower --learning-rate or --clip-norm, or lengthen --warmup"
        )


def check_figures(figures: dict[str, float], when: str) -> None:
    """Raises Diverged if one of the figures is no number."""
    for value in figures.values():
        if not math.isfinite(value):
            raise Diverged(value, when)


def check_weights(model: keras.Model, step: int) -> None:
    """Raises Diverged if a weight is no number.

    A gradient can be none although the loss still was one; the next step's loss would show it, but
    a checkpoint may be written between them.
    """
    for weight in model.trainable_weights:
        # The sum of absolute values is finite if all of them are.
        total = float(tf.reduce_sum(tf.abs(tf.cast(weight.value, tf.float64))))
        if not math.isfinite(total):
            raise Diverged(total, f"as weights after step {step}")


class StopOnDivergence(keras.callbacks.Callback):
    """Ends a training whose loss is no number any more: nothing after it is worth the time."""

    def on_train_batch_end(self, batch, logs=None):
        # The mean of the epoch so far: it is no number from the first step on whose loss is none.
        if not math.isfinite(logs["loss"]):
            # A tensor first: on several devices the variable is one of each.
            step = int(tf.convert_to_tensor(self.model.optimizer.iterations))
            raise Diverged(logs["loss"], f"as loss in step {step}")
