"""The shared front end: token ids, and the characters of each token, to vectors."""

import keras
import numpy as np
from keras import ops

from data.registry import CASES
from models.layers.characters import character_encoder


@keras.saving.register_keras_serializable(package="models")
class OpenEmbedding(keras.layers.Embedding):
    """An embedding whose last rows are given and stay as they are: vectors of words that training
    texts lack. An optimizer that keeps moments of each weight need not pass over them.

    Args:
        input_dim: ids whose vectors are trained.
        output_dim: size of a vector.
        open_rows: ids after these.

    Call arguments, output shape: as `keras.layers.Embedding`.
    """

    def __init__(self, input_dim: int, output_dim: int, open_rows: int = 0, **kwargs):
        super().__init__(input_dim, output_dim, **kwargs)
        self.open_rows = open_rows

    def build(self, input_shape=None):
        super().build(input_shape)
        self.open_embeddings = self.add_weight(
            (self.open_rows, self.output_dim), "zeros", trainable=False, name="open_embeddings"
        )

    def call(self, inputs):
        inputs = ops.cast(inputs, "int32")
        trained = super().call(ops.minimum(inputs, self.input_dim - 1))
        given = ops.take(self.open_embeddings, ops.maximum(inputs - self.input_dim, 0), axis=0)
        given = ops.cast(given, trained.dtype)
        return ops.where((inputs < self.input_dim)[..., None], trained, given)

    @property
    def variable_serialization_spec(self):
        spec = super().variable_serialization_spec
        return {**spec, None: [*spec[None], "open_embeddings"]}

    def get_config(self):
        return {**super().get_config(), "open_rows": self.open_rows}


def vectors_of(embedding: keras.layers.Embedding) -> np.ndarray:
    """<float32>[ids, output_dim], trained and open ones."""
    return np.concatenate([table.numpy() for table in _tables(embedding)])


def set_vectors_of(embedding: keras.layers.Embedding, vectors: np.ndarray) -> None:
    """Sets what `vectors_of` gives."""
    begin = 0
    for table in _tables(embedding):
        table.assign(vectors[begin : begin + table.shape[0]])
        begin += table.shape[0]


def _tables(embedding: keras.layers.Embedding) -> list[keras.Variable]:
    opened = [embedding.open_embeddings] if isinstance(embedding, OpenEmbedding) else []
    return [embedding.embeddings, *opened]


# The size of the vector of a word's case.
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
    use_cudnn="auto",
    initializer="uniform",
    open_rows: int = 0,
):
    """The functional graph that every model begins with.

    Args:
        vocabulary_size: token ids, with padding 0 and unknown 1.
        embedding_dim: size of a token's vector.
        dropout: share of features dropped, the same at all steps of a text (spatial dropout).
        character_vocabulary_size: character ids, likewise; 0 for no characters.
        max_word_length: letters of a word.
        word_dropout: share of words whose vectors are dropped as a whole, so that no single word
            decides (Iyyer et al. 2015).
        characters: a name in `models.registry.CHARACTER_ENCODERS`.
        case_features: also read how each word is written, see `data.registry.CASES`.
        drop_word_vectors: word dropout leaves characters and case, from which an unknown word must
            be judged.
        use_cudnn: of a recurrent character encoder.
        initializer: of the tokens' vectors.
        open_rows: the last so many token ids have vectors that are not trained (`OpenEmbedding`).

    Returns:
        The inputs by name (`token_ids` <int32>[batch, time], with characters `character_ids`
        <int32>[batch, time, max_word_length], with case features `case_ids` <int32>[batch, time], 0
        where padded), the vectors <float32>[batch, time, features], and the padding mask
        <bool>[batch, time], true at real tokens.
    """
    inputs = {"token_ids": keras.Input((None,), dtype="int32", name="token_ids")}
    options = {"embeddings_initializer": initializer, "mask_zero": True, "name": "embedding"}
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
