"""The names under which saved models know classes that have been renamed."""

from collections.abc import Callable

import keras


def stored_as(name: str) -> Callable[[type], type]:
    """Returns a decorator that registers a class under the name that saved models have for it.

    Keras looks a class up by its registered name. The weights in a `.keras` file, though, lie under
    paths made of the `__name__` of each layer's class, so the class keeps that name, too.

    Args:
        name: the name of the class when the first models with it were saved.
    """

    def register(renamed: type) -> type:
        renamed.__name__ = name
        return keras.saving.register_keras_serializable(package="models", name=name)(renamed)

    return register
