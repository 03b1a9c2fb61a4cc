"""Adversarial training: a second pass over vectors that were moved to where the loss grows."""

from typing import Any

import keras
import tensorflow as tf

# The layer at which a model's vectors are moved.
PERTURBATION = "perturbation"


@keras.saving.register_keras_serializable(package="models")
class Perturbation(keras.layers.Layer):
    """The place at which adversarial training moves a model's vectors; else it changes nothing.

    Attributes:
        vectors: those of the latest call, <float>[batch, time, features].
        mask: of them, <bool>[batch, time], true at real tokens.
        move: what is added to the vectors in a call, of their shape, or None.

    Call arguments:
        inputs: vectors <float>[batch, time, features].
        mask: <bool>[batch, time].

    Output shape:
        <float>[batch, time, features].
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.vectors = self.mask = self.move = None

    def call(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        self.vectors, self.mask = inputs, mask
        return inputs if self.move is None else inputs + self.move


def step_against(
    vectors: tf.Tensor, gradient: tf.Tensor, mask: tf.Tensor, size: float
) -> tf.Tensor:
    """Returns what to add to each text's vectors for the loss to grow most, to first order.

    It is `size * r * g / |g|` (Miyato et al. 2017, equation 5) with the gradient g of all vectors
    of a text. The paper normalises the vectors to a variance of 1, lest they grow until the step
    is small beside them; here the step grows with r, the root mean square of a feature, instead.

    Args:
        vectors: <float>[batch, time, features].
        gradient: of the loss, of that shape.
        mask: <bool>[batch, time], true at real tokens.
        size: of the step.

    Returns:
        A tensor of the shape and dtype of the vectors, zero where padded; no gradient flows
        through it.
    """
    real = tf.cast(mask, tf.float32)[..., None]
    squares = tf.square(tf.cast(vectors, tf.float32)) * real
    features = tf.reduce_sum(real) * tf.cast(tf.shape(vectors)[-1], tf.float32)
    unit = tf.sqrt(tf.math.divide_no_nan(tf.reduce_sum(squares), features))
    gradient = tf.ensure_shape(tf.cast(gradient, tf.float32), vectors.shape) * real
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2], keepdims=True))
    step = size * unit * tf.math.divide_no_nan(gradient, norm)
    return tf.stop_gradient(tf.cast(step, vectors.dtype))


class AdversarialTraining:
    """A model that can be trained adversarially (Miyato et al. 2017, equation 4): the loss of a
    step is that of the batch and that of the batch with moved vectors.

    Stands before `keras.Model` in the list of base classes. A step takes twice as long.

    Attributes:
        settings: `adversarial` is the size of the move, see `step_against`; with 0 the model trains
            as any other does, else it has the layer `PERTURBATION`.
    """

    settings: dict[str, Any]

    def train_step(self: Any, data: Any) -> dict[str, tf.Tensor]:
        if not self.settings["adversarial"]:
            return super().train_step(data)  # type: ignore[misc]  # that of `keras.Model`
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        layer, weights = self.get_layer(PERTURBATION), self.trainable_weights

        def run() -> tuple[tf.Tensor, tf.Tensor]:
            predicted = self(x, training=True)
            loss = self.compute_loss(
                x=x, y=y, y_pred=predicted, sample_weight=sample_weight, training=True
            )
            return predicted, loss

        with tf.GradientTape() as tape:
            predicted, loss = run()
            scaled = self.optimizer.scale_loss(loss)
        vectors, mask = layer.vectors, layer.mask
        *gradients, uphill = tape.gradient(scaled, [*weights, vectors])
        layer.move = step_against(vectors, uphill, mask, self.settings["adversarial"])
        with tf.GradientTape() as tape:
            scaled = self.optimizer.scale_loss(run()[1])
        layer.move = None
        moved = tape.gradient(scaled, weights)
        sums = map(_add, gradients, moved)
        self.optimizer.apply_gradients(zip(sums, weights, strict=True))

        for metric in self.metrics:
            if metric.name == "loss":  # of several processes, each has its share of it
                replicas = self.distribute_strategy.num_replicas_in_sync
                metric.update_state(loss * replicas, sample_weight=tf.shape(predicted)[0])
        return self.compute_metrics(x, y, predicted, sample_weight)


def _add(first: Any, second: Any) -> Any:
    """Adds two gradients of one weight; those of an embedding are rows."""
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, tf.IndexedSlices):
        values = tf.concat([first.values, second.values], axis=0)
        rows = tf.concat([first.indices, second.indices], axis=0)
        return tf.IndexedSlices(values, rows, first.dense_shape)
    return first + second
