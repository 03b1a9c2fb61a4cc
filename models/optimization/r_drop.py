"""R-Drop: both answers of a model that are made with different units dropped have to agree."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="models")
class RDrop(keras.Model):
    """A model in training that answers each batch twice (Liang et al. 2021, "R-Drop: Regularized
    Dropout for Neural Networks").

    The loss is the mean of that of both answers, plus `weight / 2` times what both differ by; this
    is half of the paper's loss, whose alpha is `weight`. A step takes twice as long.

    Args:
        model: a functional one with dropout, whose layers this one shares. Its outputs are
            logits, <float32>[batch, classes] or [batch, steps, vocabulary_size].
        weight: of the difference.
        independent: whether each class has a probability of its own (sigmoid instead of softmax).
    """

    def __init__(
        self, model: keras.Model, weight: float, independent: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(model.input, model.output, **kwargs)
        self._weight, self._independent = weight, independent

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        parts = keras.utils.unpack_x_y_sample_weight(data)
        return super().train_step(tf.nest.map_structure(_twice, parts))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        first, second = tf.split(tf.cast(y_pred, tf.float32), 2)
        differences = divergence(first, second, self._independent)
        counted = tf.ones_like(differences)
        if y_pred.shape.rank == 3:
            counted = tf.cast(tf.split(y, 2)[0] != 0, tf.float32)
        mean = tf.reduce_sum(differences * counted) / tf.maximum(tf.reduce_sum(counted), 1.0)
        return loss + self._weight / 2 * mean


def divergence(first: tf.Tensor, second: tf.Tensor, independent: bool = False) -> tf.Tensor:
    """Computes the mean of both Kullback-Leibler divergences of two distributions, in nats.

    With the probabilities p, q of the logits y, z it is `sum((p - q) * (y - z)) / 2`: the constants
    that a softmax takes from its logits add nothing, since p and q have the same sum.

    Args:
        first, second: logits <float32>[..., classes].
        independent: whether each class has a distribution of its own, whose divergences are added.

    Returns:
        <float32>[...].
    """
    probabilities = tf.sigmoid if independent else tf.nn.softmax
    change = probabilities(first) - probabilities(second)
    return tf.reduce_sum(change * (first - second), axis=-1) / 2


def _twice(x: tf.Tensor | None) -> tf.Tensor | None:
    return None if x is None else tf.concat([x, x], axis=0)
