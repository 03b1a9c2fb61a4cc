"""Dropout of whole entries of the vocabulary."""

import keras
import tensorflow as tf

from models.stored_names import stored_as


@stored_as("RowDropout")
class VocabularyDropout(keras.layers.Layer):
    """Drops the vectors of whole entries of the vocabulary, wherever they occur in a batch.

    Args:
        vocabulary_size: ids.
        rate: share of them.

    Call arguments:
        inputs: <float32>[batch, time, features].
        token_ids: <int32>[batch, time].
    """

    def __init__(self, vocabulary_size: int, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size, self.rate = vocabulary_size, rate
        self.seed_generator = keras.random.SeedGenerator() if rate else None
        self.supports_masking = True
        self.built = True

    def call(self, inputs, token_ids, training=False):
        if not (training and self.rate):
            return inputs
        ones = tf.ones([self.vocabulary_size], inputs.dtype)
        kept = keras.random.dropout(ones, self.rate, seed=self.seed_generator)
        return inputs * tf.gather(kept, token_ids)[..., None]

    def get_config(self):
        config = {"vocabulary_size": self.vocabulary_size, "rate": self.rate}
        return {**super().get_config(), **config}
