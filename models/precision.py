"""The precision in which the layers of a model compute."""

import contextlib
from collections.abc import Iterator

import keras

from models.copies import copy_with


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Gives layers that are made inside a dtype policy of Keras; afterwards the old one is back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_full_precision(model: keras.Model) -> keras.Model:
    """Returns the model in float32 on one device, whatever it was trained in and on.

    Args:
        model: one of this package, whose configuration has a `dtype`; it is returned itself if
            nothing has to change.
    """
    if model.dtype_policy.name == "float32" and model.distribute_strategy.num_replicas_in_sync == 1:
        return model
    return copy_with(model, dtype="float32")
