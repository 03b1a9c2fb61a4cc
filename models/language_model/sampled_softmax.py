"""A softmax over the right token and a sample of the others, for large vocabularies."""

import keras
import tensorflow as tf


class SampledSoftmax(keras.layers.Layer):
    """The loss of Bengio & Senecal (2008), "Adaptive Importance Sampling to Accelerate Training of
    a Neural Probabilistic Language Model": the sum over all other tokens is estimated by importance
    sampling. One sample serves all tokens of a batch, as in Jean et al. (2015).

    Candidates are drawn from a log-uniform distribution, `p(id) = log((id + 2) / (id + 1)) /
    log(vocabulary_size + 1)`, which suits ids by falling frequency. TensorFlow's own sampler keeps
    a random state that no checkpoint holds, and its loss a right token that was drawn twice.

    Args:
        vocabulary_size: ids of tokens.
        candidates: how many are drawn, with replacement.

    Call arguments:
        features: <float32>[batch, time, size].
        targets: <int>[batch, time].
        matrix: <float32>[vocabulary_size, size].
        bias: <float32>[vocabulary_size].

    Output shape:
        <float32>[batch, time].
    """

    def __init__(self, vocabulary_size: int, candidates: int, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size, self.candidates = vocabulary_size, candidates
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True
        self.built = True

    def call(self, features, targets, matrix, bias):
        sampled, targets = self.draw(), tf.cast(targets, tf.int64)
        features, matrix = tf.cast(features, tf.float32), tf.convert_to_tensor(matrix)
        right = tf.reduce_sum(features * tf.gather(matrix, targets), axis=-1)
        right += tf.gather(bias, targets)
        others = tf.matmul(features, tf.gather(matrix, sampled)[None], transpose_b=True)
        # On average these sum to what all other tokens do; the right one is there without a sample.
        others += tf.gather(bias, sampled) - tf.math.log(self.expected(sampled))
        others = tf.where(sampled == targets[..., None], float("-inf"), others)
        both = tf.concat([right[..., None], others], axis=-1)
        return tf.reduce_logsumexp(both, axis=-1) - right

    def draw(self) -> tf.Tensor:
        """<int64>[candidates]."""
        share = keras.random.uniform([self.candidates], seed=self.seed_generator)
        # The inverse of the distribution's sum up to each id.
        ids = tf.exp(share * tf.math.log(self.vocabulary_size + 1.0)) - 1.0
        return tf.minimum(tf.cast(ids, tf.int64), self.vocabulary_size - 1)

    def expected(self, ids) -> tf.Tensor:
        """How often each of the ids is drawn on average."""
        ids = tf.cast(ids, tf.float32)
        share = tf.math.log1p(1.0 / (ids + 1.0)) / tf.math.log(self.vocabulary_size + 1.0)
        return self.candidates * share
