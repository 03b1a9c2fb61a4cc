"""The precision in which the layers of a model compute."""

import contextlib

import keras

from models.copies import copy_with


@contextlib.contextmanager
def dtype_policy(name: str):
    """Layers made inside have this policy of Keras'; those made after it have the former one."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_full_precision(model: keras.Model) -> keras.Model:
    """The model with the same weights in float32 on one device: what was trained in half precision
    or on several devices answers like any other.

    Args:
        model: one of this package, whose configuration has a `dtype`; itself the result if there is
            nothing to change.
    """
    if model.dtype_policy.name == "float32" and model.distribute_strategy.num_replicas_in_sync == 1:
        return model
    return copy_with(model, dtype="float32")
