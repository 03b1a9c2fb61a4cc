"""Language-model features: the states of a trained language model, as features of a tagger."""

from typing import Any

import keras
from keras import ops

from data.text.special_tokens import PADDING, START
from models.recurrent.stack import recurrent_stack

# No dropout: the features come from a frozen model.
_NO_DROPOUT = {"dropout": 0.0, "recurrent_dropout": 0.0, "weight_drop": 0.0}


@keras.saving.register_keras_serializable(package="models")
class LanguageFeatures(keras.layers.Layer):
    """The outputs of a frozen language model's recurrent stack.

    As in TagLM (Peters et al. 2017, "Semi-supervised sequence tagging with bidirectional language
    models"), but in the forward direction alone.

    Args:
        vocabulary_size: number of the language model's token ids.
        embedding_dim: size of a token's vector.
        recurrent: arguments of the language model's `models.recurrent.stack.recurrent_stack`, by
            name.

    Call arguments:
        language_ids: <int32>[batch, time], 0 where padded, which only the end may be.

    Output shape:
        <float32>[batch, time, units].
    """

    def __init__(
        self, vocabulary_size: int, embedding_dim: int, recurrent: dict[str, Any], **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.embedding_dim = vocabulary_size, embedding_dim
        self.recurrent = dict(recurrent)
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_dim)
        self.stack = recurrent_stack(**{**recurrent, **_NO_DROPOUT})
        # This reaches only the layers that exist already.
        self.trainable = False

    def build(self, input_shape: tuple) -> None:
        self.embedding.build(input_shape)
        self.stack.build((*input_shape, self.embedding_dim))
        super().build(input_shape)

    def call(self, language_ids: Any) -> Any:
        # The model was trained on texts that begin with START.
        start = ops.full_like(language_ids[:, :1], START)
        ids = ops.concatenate([start, language_ids], axis=1)
        outputs = self.stack(self.embedding(ids), mask=ids != PADDING)
        # Nothing here is trained: without this, TensorFlow would compute useless gradients.
        return ops.stop_gradient(outputs)[:, 1:]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.recurrent["units"])

    def get_config(self) -> dict[str, Any]:
        names = ("vocabulary_size", "embedding_dim", "recurrent")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
