"""A sampled softmax, over the true token and a sample of the others, for large vocabularies."""

from typing import Any

import keras
import tensorflow as tf

from models.layers.vocabulary_logits import multiply

# Less than any logit, and yet a number, so that gradients are numbers.
_IMPOSSIBLE = -1e9


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
        dtype: the precision in which features and candidates are multiplied.

    Call arguments:
        features: <float>[batch, time, size].
        targets: <int>[batch, time].
        matrix: <float32>[vocabulary_size, size].
        bias: <float32>[vocabulary_size].

    Output shape:
        <float32>[batch, time].
    """

    def __init__(self, vocabulary_size: int, candidates: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.vocabulary_size, self.candidates = vocabulary_size, candidates
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True
        self.built = True

    def call(
        self, features: tf.Tensor, targets: tf.Tensor, matrix: tf.Tensor, bias: tf.Tensor
    ) -> tf.Tensor:
        shape, size = tf.shape(targets), features.shape[-1]
        # One product of two matrices takes much less time than one for each text.
        features = tf.reshape(tf.cast(features, tf.float32), [-1, size])
        targets = tf.reshape(tf.cast(targets, tf.int64), [-1])
        sampled, matrix = self.draw(), tf.convert_to_tensor(matrix)
        true = tf.reduce_sum(features * tf.gather(matrix, targets), axis=-1)
        true += tf.gather(bias, targets)
        # Their expected sum is that of all other tokens; the true one needs no estimate.
        shift = tf.gather(bias, sampled) - tf.math.log(self.expected_counts(sampled))
        # The bias as a further column of a factor takes less time than a sum.
        rows = tf.concat([features, tf.ones_like(features[:, :1])], axis=-1)
        candidates = tf.concat([tf.gather(matrix, sampled), shift[:, None]], axis=-1)
        others = multiply(rows, candidates, self.compute_dtype)
        others = tf.where(sampled == targets[:, None], _IMPOSSIBLE, others)
        # The logarithm of exp(true) + exp(others), minus the true logit.
        losses = tf.nn.softplus(tf.reduce_logsumexp(others, axis=-1) - true)
        return tf.reshape(losses, shape)

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
