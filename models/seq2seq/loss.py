"""The loss of a translator."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="models")
class TranslationLoss(keras.losses.Loss):
    """Cross-entropy of each word, with label smoothing (Szegedy et al. 2016, section 7): the wanted
    distribution is `(1 - s)` on the true word and `s / V` on each of all.

    A row's loss is the sum over its words, divided by the mean number of words of the batch's rows:
    the mean over rows is the mean over words.

    Args:
        label_smoothing: `s`.

    Call arguments:
        y_true: <float32>[batch, steps], ids, 0 where padded.
        y_pred: <float32>[batch, steps, vocabulary_size], logits.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str | None = None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        ids = tf.cast(y_true, tf.int32)
        real = tf.cast(ids > 0, tf.float32)
        losses = smoothed_cross_entropy(ids, tf.cast(y_pred, tf.float32), self.label_smoothing)
        words = tf.reduce_sum(real) / tf.cast(tf.shape(ids)[0], tf.float32)
        return tf.reduce_sum(losses * real, axis=1) / tf.maximum(words, 1.0)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def smoothed_cross_entropy(ids, logits, smoothing: float):
    """`-(1 - s) log p(id) - s mean(log p)`: <float32>[batch, steps].

    TensorFlow's own takes the wanted distributions, which are as large as the logits; here they are
    never made.

    Args:
        ids: <int32>[batch, steps].
        logits: <float32>[batch, steps, vocabulary_size].
        smoothing: `s`, in [0, 1).
    """
    if not smoothing:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(ids, logits)

    @tf.custom_gradient
    def smoothed(logits):
        flat = tf.reshape(logits, [-1, tf.shape(logits)[-1]])
        flat_ids = tf.reshape(ids, [-1])
        # What it returns beside the losses is their derivative, `p - one_hot(id)`.
        losses, slopes = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
            features=flat, labels=flat_ids
        )
        true = tf.gather(flat, flat_ids, batch_dims=1)
        losses += smoothing * (true - tf.reduce_mean(flat, axis=-1))

        def gradient(upstream):
            each = tf.reshape(upstream, [-1])
            even = each * (smoothing / tf.cast(tf.shape(flat)[-1], tf.float32))
            whole = slopes * each[:, None] - even[:, None]
            at = tf.stack([tf.range(tf.size(flat_ids)), flat_ids], axis=1)
            whole = tf.tensor_scatter_nd_add(whole, at, smoothing * each)
            return tf.reshape(whole, tf.shape(logits))

        return tf.reshape(losses, tf.shape(ids)), gradient

    return smoothed(logits)
