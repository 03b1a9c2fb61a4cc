"""A vector for each word from its letters, read by a recurrent layer."""

import keras
from keras import ops

from models.recurrent.factory import recurrent_layer


@keras.saving.register_keras_serializable(package="models")
class CharacterRecurrence(keras.layers.Layer):
    """A bidirectional recurrent layer over the letters of each word; its two last states are the
    word's vector (Lample et al. 2016, "Neural Architectures for Named Entity Recognition").

    Args:
        vocabulary_size: characters, with padding 0 and unknown 1.
        embedding_dim: size of a character's vector.
        units: size of the state of each direction.
        cell: a name in `models.registry.CELLS`.
        use_cudnn: as `models.recurrent.stack.RecurrentStack`.

    Call arguments:
        character_ids: <int32>[batch, time, letters], 0 where padded.

    Output shape:
        <float32>[batch, time, 2 * units]; padding letters change nothing.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int = 24,
        units: int = 32,
        cell: str = "lstm",
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.embedding_dim = vocabulary_size, embedding_dim
        self.units, self.cell, self.use_cudnn = units, cell, use_cudnn
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_dim)
        options = {"use_cudnn": use_cudnn} if cell in ("lstm", "gru") else {}
        self.recurrence = recurrent_layer(cell, units, bidirectional=True, **options)

    def build(self, input_shape):
        self.embedding.build(input_shape)
        self.recurrence.build((None, None, self.embedding_dim))
        super().build(input_shape)

    def call(self, character_ids, training=False):
        batch, time, letters = ops.shape(character_ids)
        ids = ops.reshape(character_ids, (batch * time, letters))
        # cuDNN takes no row that is padding as a whole.
        mask = ops.logical_or(ids != 0, ops.arange(letters) == 0)
        words = self.recurrence(self.embedding(ids), mask=mask, training=training)
        # A padded word is zeros, as in a convolution.
        words = words * ops.cast(ids[:, :1] != 0, words.dtype)
        return ops.reshape(words, (batch, time, 2 * self.units))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2 * self.units)

    def get_config(self):
        names = ("vocabulary_size", "embedding_dim", "units", "cell", "use_cudnn")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
