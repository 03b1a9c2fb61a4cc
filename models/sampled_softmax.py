"""A softmax over the right unit and a sample of the others, for large vocabularies."""

import keras
import tensorflow as tf


class SampledSoftmax(keras.layers.Layer):
    """The loss of Jean et al. (2015), "On Using Very Large Target Vocabulary for Neural Machine
    Translation": its gradient is that of the whole softmax up to the error of importance sampling.

    Candidates are drawn from a log-uniform distribution, `p(id) = log((id + 2) / (id + 1)) /
    log(vocabulary_size + 1)`, which suits ids by falling frequency; one sample serves all units of
    a batch. TensorFlow's own sampler keeps a random state that no checkpoint holds.

    Args:
        vocabulary_size: units.
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
        self.built = True

    def call(self, features, targets, matrix, bias):
        sampled = self.draw()
        rows = tf.reshape(tf.cast(features, tf.float32), [-1, features.shape[-1]])
        targets = tf.cast(targets, tf.int64)
        labels = tf.reshape(targets, [-1, 1])
        losses = tf.nn.sampled_softmax_loss(
            matrix,
            bias,
            labels,
            rows,
            self.candidates,
            self.vocabulary_size,
            sampled_values=(sampled, self.expected(labels), self.expected(sampled)),
        )
        return tf.reshape(losses, tf.shape(targets))

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
