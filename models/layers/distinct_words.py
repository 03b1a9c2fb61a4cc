"""Encodes each distinct word of a batch once, however often it occurs.

Few words make up most of a text: in a batch of a few hundred tweets an eighth of all positions
holds a word that no earlier position has, and a third holds padding.
"""

from collections.abc import Callable

import tensorflow as tf

from models.compilation import has_gpu, is_compiled_as_a_whole

# Numbers of words are rounded up to these where each number would be compiled anew.
_COUNTS = sorted({2**i for i in range(3, 25)} | {3 * 2**i for i in range(3, 23)})


def encode_distinct_words(
    ids: tf.Tensor, encode: Callable[[tf.Tensor], tf.Tensor], few_counts: bool = False
) -> tf.Tensor:
    """Encodes words that depend on nothing but their letters.

    On a GPU, and in a step that XLA compiles as a whole, every word is encoded where it stands.

    Args:
        ids: <int32>[words, letters], letters of words, 0 where padded.
        encode: takes <int32>[any, any], words with fewer letters of padding and perhaps further
            rows of padding, and returns <float32>[any, features].
        few_counts: whether `encode` shall see few different numbers of words.

    Returns:
        <float32>[words, features].
    """
    if has_gpu() or is_compiled_as_a_whole():
        return encode(ids)
    distinct, places = tf.raw_ops.UniqueV2(x=ids, axis=[0])
    distinct.set_shape([None, ids.shape[1]])
    longest = tf.reduce_max(tf.math.count_nonzero(distinct, axis=1, dtype=tf.int32))
    distinct = distinct[:, : tf.maximum(longest, 1)]
    if few_counts:
        count = tf.shape(distinct)[0]
        rounded = tf.gather(_COUNTS, tf.searchsorted(_COUNTS, count[None])[0])
        distinct = tf.pad(distinct, [[0, rounded - count], [0, 0]])
    return tf.gather(encode(distinct), places)
