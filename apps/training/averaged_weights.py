"""The average of a model's weights, which takes their place during validation."""

from typing import Self

import keras
import numpy as np


class AveragedWeights:
    """Gives a model, for a while, the averages of its weights that its optimizer keeps
    (`models.optimization.weight_average`):

    with AveragedWeights(model):
        ...  # validate it

    The weights come back to the last bit, and training continues with them. After an interruption
    `put_back` can be called at any moment, even if it is not needed.

    Args:
        model: compiled; without averages nothing happens.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._raw: list[tuple[keras.Variable, np.ndarray]] | None = None

    def put_in(self) -> None:
        """Puts the averages in the place of the weights."""
        pairs = _pairs(self._model)
        # Save all raw weights before changing any, so that put_back() can undo a partial swap.
        self._raw = [(weight, weight.numpy()) for weight, _ in pairs]
        for weight, average in pairs:
            weight.assign(average.numpy())

    def put_back(self) -> None:
        """Puts the weights back, if the averages are in their place."""
        for weight, value in self._raw or []:
            weight.assign(value)
        self._raw = None

    def __enter__(self) -> Self:
        self.put_in()
        return self

    def __exit__(self, *exception: object) -> None:
        self.put_back()


def validated_weights(model: keras.Model) -> list[np.ndarray]:
    """Returns the values of `model.weights`; those that are averaged as their averages."""
    averages = {id(weight): average for weight, average in _pairs(model)}
    return [averages.get(id(weight), weight).numpy() for weight in model.weights]


def _pairs(model: keras.Model) -> list[tuple]:
    """Returns each averaged weight with its average."""
    optimizer = getattr(model, "optimizer", None)
    # Keras' loss scale wraps the optimizer that does the work.
    average = getattr(getattr(optimizer, "inner_optimizer", optimizer), "average", None)
    return list(zip(average.variables, average.averages, strict=True)) if average else []
