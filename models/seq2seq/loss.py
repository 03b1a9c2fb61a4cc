"""The loss of a translator: cross-entropy of each token, with label smoothing."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="models")
class TranslationLoss(keras.losses.Loss):
    """The mean cross-entropy of a token, with label smoothing (Szegedy et al. 2016, section 7).

    The target distribution is `(1 - s)` on the true token, and `s / V` on each of all `V` tokens.
    A row's loss is the sum over its tokens, divided by the mean number of tokens in the batch's
    rows, so that the mean over rows is the mean over tokens; of a batch that several devices share
    these are the rows of all.

    Args:
        label_smoothing: `s`.

    Call arguments:
        y_true: <float32>[batch, steps], ids, 0 where padded.
        y_pred: <float32>[batch, steps, vocabulary_size], logits.
    """

    def __init__(
        self, label_smoothing: float = 0.0, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        ids = tf.cast(y_true, tf.int32)
        real = tf.cast(ids > 0, tf.float32)
        losses = smoothed_cross_entropy(ids, tf.cast(y_pred, tf.float32), self.label_smoothing)
        tokens = _mean_over_devices(tf.reduce_sum(real) / tf.cast(tf.shape(ids)[0], tf.float32))
        return tf.reduce_sum(losses * real, axis=1) / tf.maximum(tokens, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def _mean_over_devices(value: tf.Tensor) -> tf.Tensor:
    """Returns the mean of a number over the devices that share a batch in equal parts."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, value)


def smoothed_cross_entropy(ids: tf.Tensor, logits: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Computes `-(1 - s) log p(id) - s mean(log p)`.

    TensorFlow's function takes target distributions, which are as large as the logits; this one
    never makes them.

    Args:
        ids: <int32>[batch, steps].
        logits: <float32>[batch, steps, vocabulary_size].
        smoothing: `s`, in [0, 1).

    Returns:
        <float32>[batch, steps].
    """
    if not smoothing:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(ids, logits)

    @tf.custom_gradient
    def cross_entropy(logits: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        flat = tf.reshape(logits, [-1, tf.shape(logits)[-1]])
        flat_ids = tf.reshape(ids, [-1])
        # The operation returns the losses and their derivative, `p - one_hot(id)`.
        losses, slopes = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
            features=flat, labels=flat_ids
        )
        true = tf.gather(flat, flat_ids, batch_dims=1)
        losses += smoothing * (true - tf.reduce_mean(flat, axis=-1))

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            scales = tf.reshape(upstream, [-1])
            shares = scales * (smoothing / tf.cast(tf.shape(flat)[-1], tf.float32))
            result = slopes * scales[:, None] - shares[:, None]
            true_ids = tf.stack([tf.range(tf.size(flat_ids)), flat_ids], axis=1)
            result = tf.tensor_scatter_nd_add(result, true_ids, smoothing * scales)
            return tf.reshape(result, tf.shape(logits))

        return tf.reshape(losses, tf.shape(ids)), gradient

    return cross_entropy(logits)
