"""Sequences of one to three words as a linear model reads them: which a text has, and what each
says."""

import keras
from keras import ops

from data.text.special_tokens import START

# Padding, unknown and start are no words.
FIRST_WORD = START + 1
# Of three words in a row some more is told than of two; longer ones are hardly ever seen again.
LONGEST = 3
# Ids of which 64 bits hold that many.
MOST_IDS = 2_000_000


@keras.saving.register_keras_serializable(package="models")
class NgramTerms(keras.layers.Layer):
    """What the n-grams of a text add to the logits of a linear model of them.

    A text has an n-gram or not, however often, and all that it has are weighed alike: each adds its
    coefficients by the square root of their number, in equal parts to the places of its words where
    it stands first.

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
        shape = (self.entries, self.num_classes)
        self.coefficients = self.add_weight(shape, "zeros", name="coefficients")
        self.bias = self.add_weight((self.num_classes,), "zeros", name="bias")
        super().build(input_shape)

    def call(self, token_ids):
        keys = ops.concatenate(keys_of(token_ids, self.vocabulary_size), axis=1)
        rows = ops.searchsorted(self.keys, ops.reshape(keys, (-1,)))
        rows = ops.reshape(ops.minimum(rows, self.entries - 1), ops.shape(keys))
        known = _first_places(keys) & (ops.take(self.keys, rows) == keys)
        known = ops.cast(known, "float32")[..., None]
        number = ops.maximum(ops.sum(known, axis=1, keepdims=True), 1.0)
        each = known / ops.sqrt(number) * ops.take(self.coefficients, rows, axis=0)
        terms = ops.where(ops.arange(ops.shape(token_ids)[1])[:, None] == 0, self.bias, 0.0)
        for size, part in enumerate(ops.split(each, LONGEST, axis=1), 1):
            for place in range(size):
                # None begins so near the end that rolling would move it to the beginning.
                terms += ops.roll(part, place, axis=1) / size
        return terms

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
    """A number for each n-gram, of one word, of two, and so on, that begins at a place.

    Args:
        token_ids: <int>[..., time], 0 where padded.
        vocabulary_size: above all ids, and at most `MOST_IDS`.

    Returns:
        `LONGEST` <int64>[..., time], 0 where there is none.
    """
    ids = ops.cast(token_ids, "int64")
    word = ops.where(ids >= FIRST_WORD, ids, 0)
    # A word is a sequence that goes on with nothing, which has the number 0.
    keys = [word * vocabulary_size ** (LONGEST - 1)]
    for power in reversed(range(LONGEST - 1)):
        word = ops.concatenate([word[..., 1:], ops.zeros_like(word[..., :1])], axis=-1)
        longer = keys[-1] + word * vocabulary_size**power
        keys.append(ops.where((keys[-1] > 0) & (word > 0), longer, 0))
    return keys


def _first_places(keys):
    """Whether none of the same value stands before it in the row: <bool>, like the keys."""
    order = ops.argsort(keys, axis=1)
    ordered = ops.take_along_axis(keys, order, axis=1)
    new = ordered[:, 1:] != ordered[:, :-1]
    new = ops.concatenate([ops.ones_like(ordered[:, :1], "bool"), new], axis=1)
    return ops.take_along_axis(new, ops.argsort(order, axis=1), axis=1)
