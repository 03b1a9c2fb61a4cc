"""Makes models with the weights, or the inputs, of another one."""

from typing import Any

import keras


def copy_with(model: keras.Model, **changes: Any) -> keras.Model:
    """Returns a model with the same weights and a changed configuration.

    Args:
        model: one of this package; its configuration is the arguments of its class.
        **changes: the arguments that differ; the shapes of the weights must not change.
    """
    other = type(model).from_config({**model.get_config(), **changes})
    other.set_weights(model.get_weights())
    return other


def without_cudnn(model: keras.Model) -> keras.Model:
    """Returns a copy of a model for a SavedModel, which must run on machines without cuDNN.

    Args:
        model: its configuration has the arguments of its recurrent stack as `recurrent`.
    """
    return copy_with(model, recurrent={**model.settings["recurrent"], "use_cudnn": False})


def inputs_like(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """Returns new inputs with the names, shapes and dtypes of those of a model."""
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in model.input.items()
    }
