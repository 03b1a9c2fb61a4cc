"""Sizes up to a few, for what XLA compiles anew for each."""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from data.buckets import LENGTHS


def missing_to_bucket(size: tf.Tensor) -> tf.Tensor:
    """How many are missing to the next of `data.buckets.LENGTHS`, both <int32>[]."""
    return tf.gather(LENGTHS, tf.searchsorted(LENGTHS, size[None])[0]) - size


def extended(x: tf.Tensor, missing: tf.Tensor) -> tf.Tensor:
    """`x` with so many zeros, or false, at the end of its first axis; itself if there are none."""

    def longer():
        shape = tf.concat([missing[None], tf.shape(x)[1:]], axis=0)
        return tf.concat([x, tf.zeros(shape, x.dtype)], 0)

    # In a step that is compiled as a whole both branches would need one shape.
    if control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return longer()
    return tf.cond(missing > 0, longer, lambda: x)
