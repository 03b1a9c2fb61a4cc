"""The switches that decide how recurrences are compiled, and the few shapes that XLA sees.

The switches belong to the context of the caller (`contextvars`): one thread can export stock
operations while another one trains in compiled loops.
"""

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from data.batches.buckets import LENGTHS

_stock = ContextVar("stock", default=False)
_native = ContextVar("native", default=True)
_beside = ContextVar("beside", default=1)


@contextlib.contextmanager
def stock_operations() -> Iterator[None]:
    """Makes layers that are called inside use Keras' loop, which holds stock TensorFlow operations.

    `with stock_operations(): model.export(folder)` writes a SavedModel that needs neither XLA nor
    cuDNN.
    """
    token = _stock.set(True)
    try:
        yield
    finally:
        _stock.reset(token)


def stock_wanted() -> bool:
    """Returns whether the caller is inside of `stock_operations`."""
    return _stock.get()


@contextlib.contextmanager
def xla_loops() -> Iterator[None]:
    """Makes layers that are called inside use loops that XLA compiles, not the native operator."""
    token = _native.set(False)
    try:
        yield
    finally:
        _native.reset(token)


@contextlib.contextmanager
def side_by_side(layers: int) -> Iterator[None]:
    """Makes layers that are called inside share the cores with `layers - 1` others."""
    token = _beside.set(layers)
    try:
        yield
    finally:
        _beside.reset(token)


def layers_side_by_side() -> int:
    """Returns how many layers share the cores, see `side_by_side`."""
    return _beside.get()


def compiled_loops() -> bool:
    """Returns whether layers may use compiled loops: on a CPU, in a graph, outside of
    `stock_operations`.

    Eagerly, also under `run_eagerly`, nothing is compiled, and Keras' loop runs.
    """
    return not (stock_wanted() or has_gpu() or tf.executing_eagerly())


def native_operator() -> bool:
    """Returns whether layers that may use compiled loops may use the native operator instead: not
    inside of `xla_loops`, and not in a step that XLA compiles as a whole."""
    return _native.get() and not is_compiled_as_a_whole()


@functools.cache
def has_gpu() -> bool:
    """Returns whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def is_compiled_as_a_whole() -> bool:
    """Returns whether XLA compiles the graph that is being built, in which all shapes are known."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def missing_to_bucket(size: tf.Tensor) -> tf.Tensor:
    """Returns how much a size lacks to the next of `data.batches.buckets.LENGTHS`, both
    <int32>[]."""
    return tf.gather(LENGTHS, tf.searchsorted(LENGTHS, size[None])[0]) - size


def pad_rows(tensors: list[tf.Tensor], missing: tf.Tensor) -> list[tf.Tensor]:
    """Adds rows of zeros, or of false, behind the first axis of each tensor.

    Args:
        tensors: of any shape and dtype.
        missing: <int32>[], how many rows; the tensors come back as they are if there are none.
    """

    def longer():
        return [tf.concat([x, _zeros(missing, x)], axis=0) for x in tensors]

    # Both branches would need one shape.
    if is_compiled_as_a_whole():
        return longer()
    return tf.cond(missing > 0, longer, lambda: tensors)


def _zeros(rows: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.zeros(tf.concat([rows[None], tf.shape(like)[1:]], axis=0), like.dtype)
