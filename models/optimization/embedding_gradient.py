"""The gradient of an embedding as a matrix: for each id, the sum of its rows."""

from typing import Any

import tensorflow as tf

from data.graphs import graph
from models.compilation import compiled_loops, missing_to_bucket, native_operator, pad_rows
from models.recurrent.native import operator


def dense_gradient(gradient: tf.Tensor | tf.IndexedSlices, shape: tuple[int, ...]) -> tf.Tensor:
    """Turns the rows of a sparse gradient into a matrix.

    TensorFlow sums the rows in one thread, or in one pass for each. The native operator does it in
    one pass; without it, XLA compiles the sum for each number of rows: rows of zeros round it up.

    Args:
        gradient: <float>[vocabulary_size, features], or `tf.IndexedSlices` of it in any order, any
            number of them for one id.
        shape: the static shape of the matrix.
    """
    if not isinstance(gradient, tf.IndexedSlices) or not compiled_loops():
        return tf.convert_to_tensor(gradient)
    rows, values = gradient.indices, gradient.values
    is_plain = values.dtype == tf.float32 and values.shape.rank == 2
    if is_plain and native_operator() and operator.is_available():
        return operator.sum_rows(rows, values, shape[0])
    rows, values = pad_rows([rows, values], missing_to_bucket(tf.size(rows)))
    return tf.ensure_shape(_sum(rows, values, shape), shape)


@graph(jit_compile=True, reduce_retracing=True)
def _sum(rows: tf.Tensor, values: tf.Tensor, shape: Any) -> tf.Tensor:
    return tf.scatter_nd(rows[:, None], values, tf.cast(shape, rows.dtype))
