"""The layer that drops whole entries of the vocabulary."""

from typing import Any

import keras
import tensorflow as tf

from models.stored_names import stored_as


@stored_as("RowDropout")
class VocabularyDropout(keras.layers.Layer):
    """Drops the vectors of whole entries of the vocabulary, wherever they occur in a batch.

    Args:
        vocabulary_size: how many ids there are.
        rate: share of the ids that are dropped.

    Call arguments:
        inputs: <float32>[batch, time, features].
        token_ids: <int32>[batch, time].
    """

    def __init__(self, vocabulary_size: int, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size, self.rate = vocabulary_size, rate
        self.seed_generator = keras.random.SeedGenerator() if rate else None
        self.supports_masking = True
        self.built = True

    def call(self, inputs: tf.Tensor, token_ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not (training and self.rate):
            return inputs
        ones = tf.ones([self.vocabulary_size], inputs.dtype)
        kept = keras.random.dropout(ones, self.rate, seed=self.seed_generator)
        return inputs * tf.gather(kept, token_ids)[..., None]

    def get_config(self) -> dict:
        config = {"vocabulary_size": self.vocabulary_size, "rate": self.rate}
        return {**super().get_config(), **config}
