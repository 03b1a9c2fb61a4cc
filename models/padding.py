"""Sizes up to a few, for what XLA compiles anew for each."""

import tensorflow as tf

from data.buckets import LENGTHS


def missing_to_bucket(size: tf.Tensor) -> tf.Tensor:
    """How many are missing to the next of `data.buckets.LENGTHS`, both <int32>[]."""
    return tf.gather(LENGTHS, tf.searchsorted(LENGTHS, size[None])[0]) - size


def extended(x: tf.Tensor, missing: tf.Tensor) -> tf.Tensor:
    """`x` with so many zeros, or false, at the end of its first axis; itself if there are none."""
    shape = tf.concat([missing[None], tf.shape(x)[1:]], axis=0)
    return tf.cond(missing > 0, lambda: tf.concat([x, tf.zeros(shape, x.dtype)], 0), lambda: x)
