"""Language-model features: the states of a trained language model, as features of a tagger."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from data.text.special_tokens import PADDING, START
from models.recurrent.stack import RecurrentStack, recurrent_stack

# No dropout: the features come from a frozen model.
_NO_DROPOUT = {"dropout": 0.0, "recurrent_dropout": 0.0, "weight_drop": 0.0}


@keras.saving.register_keras_serializable(package="models")
class LanguageFeatures(keras.layers.Layer):
    """The outputs of a frozen language model's recurrent stack, or of both of its stacks (Peters et
    al. 2017, "Semi-supervised sequence tagging with bidirectional language models").

    Args:
        vocabulary_size: number of the language model's token ids.
        embedding_dim: size of a token's vector.
        recurrent: arguments of the language model's `models.recurrent.stack.recurrent_stack`, by
            name.
        backward: whether it has a second stack, which reads texts from their ends.

    Call arguments:
        language_ids: <int32>[batch, time], 0 where padded, which only the end may be.

    Output shape:
        <float32>[batch, time, units], twice the units with a second stack.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict[str, Any],
        backward: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.embedding_dim = vocabulary_size, embedding_dim
        self.recurrent, self.backward = dict(recurrent), backward
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_dim)
        options = {**recurrent, **_NO_DROPOUT}
        self.stack = recurrent_stack(**options)
        self.backward_stack = recurrent_stack(**options, name="backward") if backward else None
        # This reaches only the layers that exist already.
        self.trainable = False

    def build(self, input_shape: tuple) -> None:
        self.embedding.build(input_shape)
        for stack in filter(None, (self.stack, self.backward_stack)):
            stack.build((*input_shape, self.embedding_dim))
        super().build(input_shape)

    def call(self, language_ids: Any) -> Any:
        outputs = self._read(self.stack, language_ids)
        if self.backward_stack is not None:
            lengths = tf.math.count_nonzero(language_ids, axis=1)
            reverse = partial(tf.reverse_sequence, seq_lengths=lengths, seq_axis=1)
            backward = reverse(self._read(self.backward_stack, reverse(language_ids)))
            outputs = ops.concatenate([outputs, backward], axis=-1)
        # Nothing here is trained: without this, TensorFlow would compute useless gradients.
        return ops.stop_gradient(outputs)

    def _read(self, stack: RecurrentStack, ids: Any) -> Any:
        """Returns a stack's outputs after each token, <float32>[batch, time, units]."""
        # The model was trained on texts that begin with START.
        ids = ops.concatenate([ops.full_like(ids[:, :1], START), ids], axis=1)
        return stack(self.embedding(ids), mask=ids != PADDING)[:, 1:]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.recurrent["units"] * (2 if self.backward else 1))

    def get_config(self) -> dict[str, Any]:
        names = ("vocabulary_size", "embedding_dim", "recurrent", "backward")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
