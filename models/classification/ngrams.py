"""N-grams of one to three words in a linear model: which a text has, and what each adds."""

from typing import Any

import keras
from keras import ops

from data.text.special_tokens import START

# Padding, unknown and start, which come before, are no words.
FIRST_WORD = START + 1
# Three words say a little more than two; longer n-grams hardly ever occur twice.
LONGEST = 3
# A key of `LONGEST` ids fits into 64 bits up to this vocabulary size.
MOST_IDS = 2_000_000


@keras.saving.register_keras_serializable(package="models")
class NgramTerms(keras.layers.Layer):
    """A linear model of n-grams: what each token of a text adds to the logits.

    An n-gram counts once in a text, however often it occurs, and all n-grams have the same weight:
    each adds its coefficients divided by the square root of their number, in equal parts to the
    positions of its words where it occurs first.

    Args:
        vocabulary_size: token ids, with padding 0, unknown 1 and start 2.
        num_classes: number of logits.
        entries: number of n-grams that the model knows.

    Call arguments:
        token_ids: <int32>[batch, time], 0 where padded, the start token first in each row.

    Output shape:
        <float32>[batch, time, num_classes]; the sum over time is the logits. The bias is at the
        start token, so that a word's terms are its own alone.
    """

    def __init__(self, vocabulary_size: int, num_classes: int, entries: int, **kwargs: Any) -> None:
        super().__init__(**{"trainable": False, "dtype": "float32", **kwargs})
        self.vocabulary_size, self.num_classes = vocabulary_size, num_classes
        self.entries = entries

    def build(self, input_shape: tuple | None = None) -> None:
        # The keys ascend, so that a binary search finds them.
        self.keys = self.add_weight((self.entries,), "zeros", "int64", name="keys")
        shape = (self.entries, self.num_classes)
        self.coefficients = self.add_weight(shape, "zeros", name="coefficients")
        self.bias = self.add_weight((self.num_classes,), "zeros", name="bias")
        super().build(input_shape)

    def call(self, token_ids: Any) -> Any:
        keys = ops.concatenate(ngram_keys(token_ids, self.vocabulary_size), axis=1)
        rows = ops.searchsorted(self.keys, ops.reshape(keys, (-1,)))
        rows = ops.reshape(ops.minimum(rows, self.entries - 1), ops.shape(keys))
        known = _is_first(keys) & (ops.take(self.keys, rows) == keys)
        known = ops.cast(known, "float32")[..., None]
        number = ops.maximum(ops.sum(known, axis=1, keepdims=True), 1.0)
        added = known / ops.sqrt(number) * ops.take(self.coefficients, rows, axis=0)
        terms = ops.where(ops.arange(ops.shape(token_ids)[1])[:, None] == 0, self.bias, 0.0)
        for size, part in enumerate(ops.split(added, LONGEST, axis=1), 1):
            for offset in range(size):
                # No n-gram begins so near the end that rolling moves it to the beginning.
                terms += ops.roll(part, offset, axis=1) / size
        return terms

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.num_classes)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_classes": self.num_classes,
            "entries": self.entries,
        }


def ngram_keys(token_ids: Any, vocabulary_size: int) -> list:
    """Computes a number for each n-gram, of one word, of two, and so on, that begins at a position.

    Args:
        token_ids: <int>[..., time], 0 where padded.
        vocabulary_size: above all ids, and at most `MOST_IDS`.

    Returns:
        `LONGEST` tensors <int64>[..., time], 0 where no n-gram begins.
    """
    ids = ops.cast(token_ids, "int64")
    word = ops.where(ids >= FIRST_WORD, ids, 0)
    # A shorter n-gram has the id 0 in place of the missing words.
    keys = [word * vocabulary_size ** (LONGEST - 1)]
    for power in reversed(range(LONGEST - 1)):
        word = ops.concatenate([word[..., 1:], ops.zeros_like(word[..., :1])], axis=-1)
        longer = keys[-1] + word * vocabulary_size**power
        keys.append(ops.where((keys[-1] > 0) & (word > 0), longer, 0))
    return keys


def _is_first(keys: Any) -> Any:
    """Returns whether a key is the first of its value in the row, <bool>, shaped like the keys."""
    order = ops.argsort(keys, axis=1)
    ordered = ops.take_along_axis(keys, order, axis=1)
    new = ordered[:, 1:] != ordered[:, :-1]
    new = ops.concatenate([ops.ones_like(ordered[:, :1], "bool"), new], axis=1)
    return ops.take_along_axis(new, ops.argsort(order, axis=1), axis=1)
