"""The average of a model's weights, in their place while it is validated."""

import keras
import numpy as np


class AveragedWeights:
    """Gives the model the averages that its optimizer keeps (`models.optimization.weight_average`),
    for a while:

    with AveragedWeights(model):
        ...  # validate it

    The weights that training goes on with come back to the last bit. Where an interruption may have
    struck between the two, `put_back` can be called at any moment, and once more than needed.

    Args:
        model: compiled; without averages nothing happens.
    """

    def __init__(self, model: keras.Model):
        self._model, self._raw = model, None

    def put_in(self) -> None:
        """Puts the averages in the place of the weights."""
        pairs = _pairs(self._model)
        # All at once: from here on `put_back` knows every one, however far the loop has come.
        self._raw = [(weight, weight.numpy()) for weight, _ in pairs]
        for weight, average in pairs:
            weight.assign(average.numpy())

    def put_back(self) -> None:
        """Puts the weights back, if they are not where they belong."""
        for weight, value in self._raw or []:
            weight.assign(value)
        self._raw = None

    def __enter__(self):
        self.put_in()
        return self

    def __exit__(self, *exception):
        self.put_back()


def validated_weights(model: keras.Model) -> list[np.ndarray]:
    """The values of `model.weights`, those that are averaged as their averages."""
    averages = {id(weight): average for weight, average in _pairs(model)}
    return [averages.get(id(weight), weight).numpy() for weight in model.weights]


def _pairs(model: keras.Model) -> list[tuple]:
    """Each averaged weight and its average."""
    optimizer = getattr(model, "optimizer", None)
    # Keras' scale of the loss stands around the optimizer that does the work.
    average = getattr(getattr(optimizer, "inner_optimizer", optimizer), "average", None)
    return list(zip(average.variables, average.averages, strict=True)) if average else []
