"""What a trained language model remembers after each token, as features of a tagger."""

import keras
from keras import ops

from data.text.special_tokens import PADDING, START
from models.recurrent.stack import recurrent_stack

# A trained model is read as it is.
_WHOLE = {"dropout": 0.0, "recurrent_dropout": 0.0, "weight_drop": 0.0}


@keras.saving.register_keras_serializable(package="models")
class LanguageFeatures(keras.layers.Layer):
    """The outputs of a language model's recurrent stack, which stays as it is (TagLM, Peters et al.
    2017, "Semi-supervised sequence tagging with bidirectional language models"; here it reads
    forward alone).

    Args:
        vocabulary_size: of its tokens.
        embedding_dim: size of a token's vector.
        recurrent: arguments of its `models.recurrent.stack.recurrent_stack`, by name.

    Call arguments:
        language_ids: <int32>[batch, time], 0 where padded, at the end alone.

    Output shape:
        <float32>[batch, time, units].
    """

    def __init__(self, vocabulary_size: int, embedding_dim: int, recurrent: dict, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size, self.embedding_dim = vocabulary_size, embedding_dim
        self.recurrent = dict(recurrent)
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_dim)
        self.stack = recurrent_stack(**{**recurrent, **_WHOLE})
        # Reaches the layers that are there by now.
        self.trainable = False

    def build(self, input_shape):
        self.embedding.build(input_shape)
        self.stack.build((*input_shape, self.embedding_dim))
        super().build(input_shape)

    def call(self, language_ids):
        # It has learned texts with their beginning.
        start = ops.full_like(language_ids[:, :1], START)
        ids = ops.concatenate([start, language_ids], axis=1)
        outputs = self.stack(self.embedding(ids), mask=ids != PADDING)
        # Nothing in it is trained: without this the way back would be kept and gone all the same.
        return ops.stop_gradient(outputs)[:, 1:]

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.recurrent["units"])

    def get_config(self):
        names = ("vocabulary_size", "embedding_dim", "recurrent")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
