"""Words and pairs of words as a linear model reads them: which a text has, and what each says."""

import keras
from keras import ops

# Padding, unknown and start, see `data.preprocessor`: no words.
FIRST_WORD = 3


@keras.saving.register_keras_serializable(package="models")
class NgramTerms(keras.layers.Layer):
    """What the words and pairs of a text add to the logits of a linear model of them.

    A text has an n-gram or not, however often: its value is the n-gram's inverse document frequency
    by the Euclidean norm of all values of the text, at the place where it stands first. Half of a
    pair's term is at the place of each of its words.

    Args:
        vocabulary_size: token ids, with padding 0, unknown 1 and start 2.
        num_classes: logits.
        entries: n-grams that the model knows.

    Call arguments:
        token_ids: <int32>[batch, time], 0 where padded, the start token first in each row.

    Output shape:
        <float32>[batch, time, num_classes]; the sum over time is the logits. The bias is at the
        start token, so that no term of a word is anything but its own.
    """

    def __init__(self, vocabulary_size: int, num_classes: int, entries: int, **kwargs):
        super().__init__(**{"trainable": False, "dtype": "float32", **kwargs})
        self.vocabulary_size, self.num_classes = vocabulary_size, num_classes
        self.entries = entries

    def build(self, input_shape=None):
        # Of n-grams in ascending order of their keys, so that a search finds them.
        self.keys = self.add_weight((self.entries,), "zeros", "int64", name="keys")
        self.idf = self.add_weight((self.entries,), "zeros", name="idf")
        shape = (self.entries, self.num_classes)
        self.coefficients = self.add_weight(shape, "zeros", name="coefficients")
        self.bias = self.add_weight((self.num_classes,), "zeros", name="bias")
        super().build(input_shape)

    def call(self, token_ids):
        keys = ops.concatenate(keys_of(token_ids, self.vocabulary_size), axis=1)
        rows = ops.searchsorted(self.keys, ops.reshape(keys, (-1,)))
        rows = ops.reshape(ops.minimum(rows, self.entries - 1), ops.shape(keys))
        known = _first_places(keys) & (ops.take(self.keys, rows) == keys)
        values = ops.where(known, ops.take(self.idf, rows), 0.0)
        norm = ops.sqrt(ops.sum(values**2, axis=1, keepdims=True))
        values /= ops.where(norm > 0, norm, 1.0)
        terms = values[..., None] * ops.take(self.coefficients, rows, axis=0)
        words, pairs = ops.split(terms, 2, axis=1)
        # The last place begins no pair: rolling moves none from the end to the beginning.
        terms = words + (pairs + ops.roll(pairs, 1, axis=1)) / 2
        first = ops.arange(ops.shape(token_ids)[1])[:, None] == 0
        return terms + ops.where(first, self.bias, 0.0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.num_classes)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_classes": self.num_classes,
            "entries": self.entries,
        }


def keys_of(token_ids, vocabulary_size: int) -> list:
    """A number for each word, and one for each pair of words that begins at its place.

    Args:
        token_ids: <int>[..., time], 0 where padded.
        vocabulary_size: above all ids.

    Returns:
        Two <int64>[..., time], 0 where there is none.
    """
    ids = ops.cast(token_ids, "int64")
    words = ops.where(ids >= FIRST_WORD, ids, 0)
    following = ops.concatenate([words[..., 1:], ops.zeros_like(words[..., :1])], axis=-1)
    # A word is a pair with nothing, which has the number 0.
    words *= vocabulary_size
    pairs = ops.where((words > 0) & (following > 0), words + following, 0)
    return [words, pairs]


def _first_places(keys):
    """Whether none of the same value stands before it in the row: <bool>, like the keys."""
    order = ops.argsort(keys, axis=1)
    ordered = ops.take_along_axis(keys, order, axis=1)
    new = ordered[:, 1:] != ordered[:, :-1]
    new = ops.concatenate([ops.ones_like(ordered[:, :1], "bool"), new], axis=1)
    return ops.take_along_axis(new, ops.argsort(order, axis=1), axis=1)
