"""Sizes up to a few, for what XLA compiles anew for each."""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from data.batches.buckets import LENGTHS


def missing_to_bucket(size: tf.Tensor) -> tf.Tensor:
    """How many are missing to the next of `data.batches.buckets.LENGTHS`, both <int32>[]."""
    return tf.gather(LENGTHS, tf.searchsorted(LENGTHS, size[None])[0]) - size


def extended(tensors: list[tf.Tensor], missing: tf.Tensor) -> list[tf.Tensor]:
    """Each with so many zeros, or false, at the end of its first axis; themselves if there are
    none."""

    def longer():
        return [tf.concat([x, _zeros(missing, x)], axis=0) for x in tensors]

    # In a step that is compiled as a whole both branches would need one shape.
    if control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return longer()
    return tf.cond(missing > 0, longer, lambda: tensors)


def _zeros(rows: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.zeros(tf.concat([rows[None], tf.shape(like)[1:]], axis=0), like.dtype)
