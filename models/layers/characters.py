"""A vector for each word from its characters, by convolutions or by a recurrent layer."""

from functools import partial
from typing import Any

import keras
from keras import ops

from data.errors import choose
from models.layers.distinct_words import encode_distinct_words
from models.recurrent.factory import recurrent_layer


@keras.saving.register_keras_serializable(package="models")
class CharacterConvolution(keras.layers.Layer):
    """Encodes each word from its letters: convolutions, then the maximum over the word.

    The character encoder of Kim et al. (2016), "Character-Aware Neural Language Models", without
    the highway layer: misspelt and unknown words get a vector from their letters.

    Args:
        vocabulary_size: characters, with padding 0 and unknown 1.
        embedding_dim: size of a character's vector.
        filters: filters of each width; the output has `filters * len(widths)` features.
        widths: letters that one filter sees.

    Call arguments:
        character_ids: <int32>[batch, time, letters], 0 where padded.

    Output shape:
        <float32>[batch, time, filters * len(widths)]; padding changes nothing.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int = 24,
        filters: int = 32,
        widths: tuple[int, ...] = (2, 3, 4),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.filters = filters
        self.widths = tuple(widths)
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_dim)
        # Without a bias and after a ReLU, windows of padding alone never win the maximum.
        self.convolutions = [
            keras.layers.Conv1D(filters, width, padding="valid", use_bias=False)
            for width in self.widths
        ]

    def build(self, input_shape: tuple) -> None:
        self.embedding.build(input_shape)
        for convolution in self.convolutions:
            convolution.build((None, None, self.embedding_dim))
        super().build(input_shape)

    def call(self, character_ids: keras.KerasTensor) -> keras.KerasTensor:
        batch, time, letters = ops.shape(character_ids)
        ids = ops.reshape(character_ids, (batch * time, letters))
        words = encode_distinct_words(ids, self._convolve)
        return ops.reshape(words, (batch, time, self._features()))

    def _convolve(self, ids: keras.KerasTensor) -> keras.KerasTensor:
        """Encodes words <int32>[words, letters], <float32>[words, features]."""
        x = self.embedding(ids) * ops.cast(ids != 0, self.compute_dtype)[..., None]
        # With padding, a filter that is wider than a word sees it, too.
        x = ops.pad(x, [[0, 0], [max(self.widths) - 1] * 2, [0, 0]])
        # A batch without a word has no maximum; others are at least 0 after the ReLU.
        words = [
            ops.max(ops.relu(convolution(x)), axis=1, initial=0)
            for convolution in self.convolutions
        ]
        return ops.concatenate(words, axis=-1)

    def _features(self) -> int:
        return self.filters * len(self.widths)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self._features())

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "filters": self.filters,
            "widths": self.widths,
        }


@keras.saving.register_keras_serializable(package="models")
class CharacterRecurrence(keras.layers.Layer):
    """Encodes each word from its letters: the two last states of a bidirectional recurrent layer
    (Lample et al. 2016, "Neural Architectures for Named Entity Recognition").

    Args:
        vocabulary_size: characters, with padding 0 and unknown 1.
        embedding_dim: size of a character's vector.
        units: size of the state of each direction.
        cell: a name in `models.registry.CELLS`.
        use_cudnn: as `models.recurrent.stack.RecurrentStack`.

    Call arguments:
        character_ids: <int32>[batch, time, letters], 0 where padded.

    Output shape:
        <float32>[batch, time, 2 * units]; padding changes nothing.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int = 24,
        units: int = 32,
        cell: str = "lstm",
        use_cudnn: str | bool = "auto",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.embedding_dim = vocabulary_size, embedding_dim
        self.units, self.cell, self.use_cudnn = units, cell, use_cudnn
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_dim)
        options = {"use_cudnn": use_cudnn} if cell in ("lstm", "gru") else {}
        self.recurrence = recurrent_layer(cell, units, bidirectional=True, **options)

    def build(self, input_shape: tuple) -> None:
        self.embedding.build(input_shape)
        self.recurrence.build((None, None, self.embedding_dim))
        super().build(input_shape)

    def call(self, character_ids: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        batch, time, letters = ops.shape(character_ids)
        ids = ops.reshape(character_ids, (batch * time, letters))
        words = encode_distinct_words(ids, partial(self._recur, training=training), few_counts=True)
        return ops.reshape(words, (batch, time, 2 * self.units))

    def _recur(self, ids: keras.KerasTensor, training: bool) -> keras.KerasTensor:
        """Encodes words <int32>[words, letters], <float32>[words, features]."""
        # cuDNN refuses rows that are all padding.
        mask = ops.logical_or(ids != 0, ops.arange(ops.shape(ids)[1]) == 0)
        words = self.recurrence(self.embedding(ids), mask=mask, training=training)
        # A word that is padding becomes zeros, as with convolutions.
        return words * ops.cast(ids[:, :1] != 0, words.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], 2 * self.units)

    def get_config(self) -> dict:
        names = ("vocabulary_size", "embedding_dim", "units", "cell", "use_cudnn")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


CHARACTER_ENCODERS: dict[str, type[keras.layers.Layer]] = {
    "convolution": CharacterConvolution,
    "recurrent": CharacterRecurrence,
}


def character_encoder(
    name: str, vocabulary_size: int, use_cudnn: str | bool = "auto"
) -> keras.layers.Layer:
    """Builds a character encoder by its name; the layer is called `characters`.

    Args:
        name: one of `models.registry.CHARACTER_ENCODERS`.
        vocabulary_size: characters, with padding 0 and unknown 1.
        use_cudnn: of a recurrent encoder, see `models.recurrent.stack.RecurrentStack`.

    Raises:
        ValueError: unknown name.
    """
    encoder_class = choose("characters", name, CHARACTER_ENCODERS)
    options = {"use_cudnn": use_cudnn} if encoder_class is CharacterRecurrence else {}
    return encoder_class(vocabulary_size, name="characters", **options)
