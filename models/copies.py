"""A model with the weights, or the inputs, of another."""

import keras


def copy_with(model: keras.Model, **changes) -> keras.Model:
    """The model with the same weights, made anew from its configuration with some changes.

    Args:
        model: one of this package; its configuration is the arguments of its class.
        **changes: the arguments that differ; the weights must have the same shapes.
    """
    other = type(model).from_config({**model.get_config(), **changes})
    other.set_weights(model.get_weights())
    return other


def without_cudnn(model: keras.Model) -> keras.Model:
    """The copy_with that a SavedModel may hold: cuDNN would go with it to machines without a GPU.

    Args:
        model: one whose configuration has the arguments `recurrent` of its recurrent stack.
    """
    return copy_with(model, recurrent={**model.settings["recurrent"], "use_cudnn": False})


def inputs_like(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """New inputs with the names, shapes and dtypes of a model's, for another that calls it."""
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in model.input.items()
    }
