"""A sampled softmax, over the true token and a sample of the others, for large vocabularies."""

from typing import Any

import keras
import tensorflow as tf


class SampledSoftmax(keras.layers.Layer):
    """A loss that estimates the softmax's sum over all tokens by importance sampling.

    Bengio & Senecal (2008), "Adaptive Importance Sampling to Accelerate Training of a Neural
    Probabilistic Language Model". All tokens of a batch share one sample, as in Jean et al. (2015).

    Candidates are drawn from a log-uniform distribution, `p(id) = log((id + 2) / (id + 1)) /
    log(vocabulary_size + 1)`, which suits ids in order of falling frequency. TensorFlow's sampler
    has a random state that no checkpoint holds, and its loss counts a true token that was drawn.

    Args:
        vocabulary_size: number of token ids.
        candidates: number of ids that are drawn, with replacement.

    Call arguments:
        features: <float32>[batch, time, size].
        targets: <int>[batch, time].
        matrix: <float32>[vocabulary_size, size].
        bias: <float32>[vocabulary_size].

    Output shape:
        <float32>[batch, time].
    """

    def __init__(self, vocabulary_size: int, candidates: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size, self.candidates = vocabulary_size, candidates
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True
        self.built = True

    def call(
        self, features: tf.Tensor, targets: tf.Tensor, matrix: tf.Tensor, bias: tf.Tensor
    ) -> tf.Tensor:
        sampled, targets = self.draw(), tf.cast(targets, tf.int64)
        features, matrix = tf.cast(features, tf.float32), tf.convert_to_tensor(matrix)
        true = tf.reduce_sum(features * tf.gather(matrix, targets), axis=-1)
        true += tf.gather(bias, targets)
        others = tf.matmul(features, tf.gather(matrix, sampled)[None], transpose_b=True)
        # Their expected sum is that of all other tokens; the true one needs no estimate.
        others += tf.gather(bias, sampled) - tf.math.log(self.expected_counts(sampled))
        others = tf.where(sampled == targets[..., None], float("-inf"), others)
        logits = tf.concat([true[..., None], others], axis=-1)
        return tf.reduce_logsumexp(logits, axis=-1) - true

    def draw(self) -> tf.Tensor:
        """Draws the ids of a sample, <int64>[candidates]."""
        share = keras.random.uniform([self.candidates], seed=self.seed_generator)
        # The inverse of the cumulative distribution.
        ids = tf.exp(share * tf.math.log(self.vocabulary_size + 1.0)) - 1.0
        return tf.minimum(tf.cast(ids, tf.int64), self.vocabulary_size - 1)

    def expected_counts(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns how often each of the ids is drawn on average."""
        ids = tf.cast(ids, tf.float32)
        share = tf.math.log1p(1.0 / (ids + 1.0)) / tf.math.log(self.vocabulary_size + 1.0)
        return self.candidates * share
