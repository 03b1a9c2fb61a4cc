"""Makes models with the weights, or the inputs, of another one."""

from typing import Any, Self

import keras


class FromSettings:
    """A model that is made from `settings`, the arguments of its class.

    Stands before `keras.Model` in the list of base classes. `recurrent` is among the arguments:
    those of the recurrent stack.

    Attributes:
        settings: all arguments but the name.
    """

    name: str
    settings: dict[str, Any]

    def for_export(self) -> Self:
        """Returns the copy for a SavedModel: cuDNN would not run on machines without a GPU."""
        return copy_with(self, recurrent={**self.settings["recurrent"], "use_cudnn": False})

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.settings}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def copy_with(model: Any, **changes: Any) -> Any:
    """Returns a new model with the same weights and some changes of its configuration.

    Args:
        model: one of this package; its configuration is the arguments of its class.
        **changes: the arguments that differ; the shapes of the weights must not change.
    """
    copy = type(model).from_config({**model.get_config(), **changes})
    copy.set_weights(model.get_weights())
    return copy


def inputs_like(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """Returns new inputs with the names, shapes and dtypes of those of a model."""
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in model.input.items()
    }
