"""The front end that all models share: token ids, characters and case to vectors."""

from typing import Any

import keras
import numpy as np
from keras import ops

from data.registry import CASES
from models.layers.characters import character_encoder


@keras.saving.register_keras_serializable(package="models")
class OpenEmbedding(keras.layers.Embedding):
    """An embedding whose last rows are not trained: pretrained vectors of words that the training
    texts lack. As a weight of their own, they cost the optimizer no moments and no updates.

    Args:
        input_dim: how many ids have trained vectors.
        output_dim: size of a vector.
        open_rows: how many ids follow, whose vectors are not trained.

    Call arguments and output shape: as `keras.layers.Embedding`.
    """

    def __init__(self, input_dim: int, output_dim: int, open_rows: int = 0, **kwargs: Any):
        super().__init__(input_dim, output_dim, **kwargs)
        self.open_rows = open_rows

    def build(self, input_shape: tuple | None = None) -> None:
        super().build(input_shape)
        self.open_embeddings = self.add_weight(
            (self.open_rows, self.output_dim), "zeros", trainable=False, name="open_embeddings"
        )

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        inputs = ops.cast(inputs, "int32")
        trained = super().call(ops.minimum(inputs, self.input_dim - 1))
        fixed = ops.take(self.open_embeddings, ops.maximum(inputs - self.input_dim, 0), axis=0)
        fixed = ops.cast(fixed, trained.dtype)
        return ops.where((inputs < self.input_dim)[..., None], trained, fixed)

    @property
    def variable_serialization_spec(self) -> dict:
        spec = super().variable_serialization_spec
        return {**spec, None: [*spec[None], "open_embeddings"]}

    def get_config(self) -> dict:
        return {**super().get_config(), "open_rows": self.open_rows}


def get_vectors(embedding: keras.layers.Embedding) -> np.ndarray:
    """Returns the vectors of all ids, <float32>[ids, output_dim]."""
    return np.concatenate([table.numpy() for table in _tables(embedding)])


def assign_vectors(embedding: keras.layers.Embedding, vectors: np.ndarray) -> None:
    """Sets the vectors of all ids, <float32>[ids, output_dim]."""
    begin = 0
    for table in _tables(embedding):
        table.assign(vectors[begin : begin + table.shape[0]])
        begin += table.shape[0]


def _tables(embedding: keras.layers.Embedding) -> list[keras.Variable]:
    fixed = [embedding.open_embeddings] if isinstance(embedding, OpenEmbedding) else []
    return [embedding.embeddings, *fixed]


# The size of the vector of a case.
_CASE_FEATURES = 8


def embed(
    vocabulary_size: int,
    embedding_dim: int,
    dropout: float = 0.0,
    character_vocabulary_size: int = 0,
    max_word_length: int = 0,
    word_dropout: float = 0.0,
    characters: str = "convolution",
    case_features: bool = False,
    drop_word_vectors: bool = False,
    use_cudnn: str | bool = "auto",
    initializer: Any = "uniform",
    open_rows: int = 0,
) -> tuple[dict[str, keras.KerasTensor], keras.KerasTensor, keras.KerasTensor]:
    """Builds the functional graph that every model begins with.

    Args:
        vocabulary_size: token ids, with padding 0 and unknown 1.
        embedding_dim: size of a token's vector.
        dropout: share of features dropped, the same at all steps of a text (spatial dropout).
        character_vocabulary_size: character ids, with padding 0 and unknown 1; 0 for no characters.
        max_word_length: how many characters of a word are read.
        word_dropout: share of words whose whole vectors are dropped, so that the model does not
            rely on single words (Iyyer et al. 2015).
        characters: a name in `models.registry.CHARACTER_ENCODERS`.
        case_features: whether to read the case of each word, see `data.registry.CASES`.
        drop_word_vectors: whether word dropout spares the vectors of characters and case, so that
            the model learns to judge unknown words by them.
        use_cudnn: of a recurrent character encoder.
        initializer: of the vectors of tokens.
        open_rows: how many of the last token ids have vectors that are not trained
            (`OpenEmbedding`).

    Returns:
        The inputs by name (`token_ids` <int32>[batch, time], with characters `character_ids`
        <int32>[batch, time, max_word_length], with case features `case_ids` <int32>[batch, time], 0
        where padded), the vectors <float32>[batch, time, features], and the padding mask
        <bool>[batch, time], true at real tokens.
    """
    inputs = {"token_ids": keras.Input((None,), dtype="int32", name="token_ids")}
    options: dict[str, Any] = {
        "embeddings_initializer": initializer,
        "mask_zero": True,
        "name": "embedding",
    }
    if open_rows:
        embedding = OpenEmbedding(vocabulary_size - open_rows, embedding_dim, open_rows, **options)
    else:
        embedding = keras.layers.Embedding(vocabulary_size, embedding_dim, **options)
    parts = [embedding(inputs["token_ids"])]
    drop = keras.layers.Dropout(word_dropout, noise_shape=(None, None, 1), name="word_dropout")
    if word_dropout and drop_word_vectors:
        parts = [drop(parts[0])]
    if character_vocabulary_size:
        inputs["character_ids"] = keras.Input(
            (None, max_word_length), dtype="int32", name="character_ids"
        )
        encoder = character_encoder(characters, character_vocabulary_size, use_cudnn)
        parts.append(encoder(inputs["character_ids"]))
    if case_features:
        inputs["case_ids"] = keras.Input((None,), dtype="int32", name="case_ids")
        case = keras.layers.Embedding(len(CASES) + 1, _CASE_FEATURES, name="case")
        parts.append(case(inputs["case_ids"]))
    x = parts[0] if len(parts) == 1 else keras.layers.Concatenate()(parts)
    if word_dropout and not drop_word_vectors:
        x = drop(x)
    x = keras.layers.SpatialDropout1D(dropout, name="embedding_dropout")(x)
    return inputs, x, embedding.compute_mask(inputs["token_ids"])
