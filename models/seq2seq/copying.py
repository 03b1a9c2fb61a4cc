"""The copy mechanism of an encoder-decoder model: answers with tokens of their sources."""

from typing import Any

import keras
import tensorflow as tf

# Below any probability that matters: the logarithm of what is impossible stays finite.
_LEAST = 1e-30


@keras.saving.register_keras_serializable(package="models")
class Copying(keras.layers.Layer):
    """Mixes the distribution over the vocabulary with the attention to the source's tokens.

    The pointer-generator of See et al. (2017), "Get To The Point", where both sides have one
    vocabulary: `p(w) = g softmax(o)_w + (1 - g) sum(a_t where source_t = w)`, with the gate
    `g = sigmoid(v h + b)` of the attentional vector `h`, which holds what they read one by one. A
    source that is split into bytes or sub-words has no token outside of the vocabulary, so that
    theirs needs no extension.

    Call arguments:
        logits: `o` <float>[batch, steps, vocabulary_size].
        hidden: `h` <float>[batch, steps, size].
        weights: `a` <float>[batch, steps, time], of the attention; 0 where padded.
        token_ids: <int32>[batch, time], the sources.

    Output shape:
        `log p` <float32>[batch, steps, vocabulary_size], which are logits as well.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gate = keras.layers.Dense(1, dtype="float32", name="gate")

    def build(self, logits_shape: tuple, hidden_shape: tuple, *_: Any, **__: Any) -> None:
        self.gate.build(hidden_shape)
        super().build(logits_shape)

    def call(
        self, logits: tf.Tensor, hidden: tf.Tensor, weights: tf.Tensor, token_ids: tf.Tensor
    ) -> tf.Tensor:
        written = tf.nn.softmax(tf.cast(logits, tf.float32))
        copied = scatter_attention(tf.cast(weights, tf.float32), token_ids, logits.shape[-1])
        gate = self.gates(hidden)
        return tf.math.log(tf.maximum(gate * written + (1.0 - gate) * copied, _LEAST))

    def gates(self, hidden: tf.Tensor) -> tf.Tensor:
        """Returns the share of each step that is written, not copied: <float32>[..., 1]."""
        return tf.sigmoid(self.gate(hidden))

    def copied_shares(
        self,
        logits: tf.Tensor,
        hidden: tf.Tensor,
        weights: tf.Tensor,
        token_ids: tf.Tensor,
        chosen: tf.Tensor,
    ) -> tf.Tensor:
        """Returns how much of the probability of each chosen token comes from copying.

        Args:
            logits, hidden, weights, token_ids: as in `call`.
            chosen: <int32>[batch, steps], ids.

        Returns:
            <float32>[batch, steps], from 0 to 1.
        """
        written = tf.gather(tf.nn.softmax(logits), chosen, batch_dims=2)
        same = tf.cast(token_ids[:, None, :] == chosen[:, :, None], tf.float32)
        gate = self.gates(hidden)[..., 0]
        copied = (1.0 - gate) * tf.reduce_sum(same * tf.cast(weights, tf.float32), axis=-1)
        return copied / tf.maximum(copied + gate * written, _LEAST)

    def compute_output_shape(self, logits_shape: tuple, *_: Any, **__: Any) -> tuple:
        return logits_shape


def scatter_attention(weights: tf.Tensor, token_ids: tf.Tensor, size: int) -> tf.Tensor:
    """Sums the attention to all places of each token.

    Args:
        weights: <float32>[batch, steps, time].
        token_ids: <int32>[batch, time].
        size: of the vocabulary.

    Returns:
        <float32>[batch, steps, size].
    """
    batch, steps, time = tf.unstack(tf.shape(weights))
    places = token_ids + size * tf.range(batch)[:, None]
    # A row a source token: all steps of it are added at once.
    rows = tf.reshape(tf.transpose(weights, [0, 2, 1]), [batch * time, steps])
    sums = tf.math.unsorted_segment_sum(rows, tf.reshape(places, [-1]), batch * size)
    return tf.transpose(tf.reshape(sums, [batch, size, steps]), [0, 2, 1])


def coverage_loss(weights: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """Computes how much of each token's attention goes where the attention was before.

    The mean over tokens of `sum over t of min(a_t, sum of a_t in the steps before)` (See et al.
    2017, equation 12); unlike theirs the attention does not read what it has covered, so that all
    steps are one pass.

    Args:
        weights: <float>[batch, steps, time], of the attention.
        real: <bool>[batch, steps], false where the target is padded.

    Returns:
        <float32>[].
    """
    weights = tf.cast(weights, tf.float32)
    before = tf.cumsum(weights, axis=1, exclusive=True)
    again = tf.reduce_sum(tf.minimum(weights, before), axis=-1)
    counts = tf.cast(real, tf.float32)
    return tf.reduce_sum(again * counts) / tf.maximum(tf.reduce_sum(counts), 1.0)
