"""Pooling layers, from a sequence of vectors to one: last state, mean, maximum, attention."""

from typing import Any

import keras
from keras import ops

from data.errors import choose


class _Pooling(keras.layers.Layer):
    """The base class: [batch, time, features] and a mask to [batch, features]."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], input_shape[-1])

    def compute_mask(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> None:
        return None


def _real_steps(inputs: keras.KerasTensor, mask: keras.KerasTensor | None) -> keras.KerasTensor:
    """Returns the mask, or one that is true everywhere, <bool>[batch, time]."""
    return ops.ones(ops.shape(inputs)[:2], "bool") if mask is None else mask


@keras.saving.register_keras_serializable(package="models")
class LastState(_Pooling):
    """Takes the final state of a recurrent layer: the last real step of the forward half, the first
    of the backward half.

    Args:
        bidirectional: whether the features are a forward and a backward half.

    Call arguments:
        inputs: <float32>[batch, time, features], outputs of a recurrent layer.
        mask: <bool>[batch, time] or None.

    Output shape:
        <float32>[batch, features].
    """

    def __init__(self, bidirectional: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.bidirectional = bidirectional

    def call(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32")
        real = _real_steps(inputs, mask)
        last = _step(inputs, ops.max(ops.where(real, positions, 0), axis=1))
        if not self.bidirectional:
            return last
        first = _step(inputs, ops.argmax(ops.cast(real, "int32"), axis=1))
        half = inputs.shape[-1] // 2
        return ops.concatenate([last[:, :half], first[:, half:]], axis=-1)

    def get_config(self) -> dict:
        return {**super().get_config(), "bidirectional": self.bidirectional}


def _step(inputs: keras.KerasTensor, index: keras.KerasTensor) -> keras.KerasTensor:
    """Returns the vectors at one position of each row, <int32>[batch] to <float32>[batch,
    features]."""
    index = ops.cast(index, "int32")[:, None, None]
    return ops.squeeze(ops.take_along_axis(inputs, index, axis=1), axis=1)


@keras.saving.register_keras_serializable(package="models")
class MaskedMean(_Pooling):
    """Takes the mean over real steps; shapes as `LastState`."""

    def call(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        weights = ops.cast(_real_steps(inputs, mask), inputs.dtype)[..., None]
        return ops.sum(inputs * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)


@keras.saving.register_keras_serializable(package="models")
class MaskedMax(_Pooling):
    """Takes the maximum over real steps; shapes as `LastState`."""

    def call(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        real = _real_steps(inputs, mask)[..., None]
        # Half of the lowest float16, so that it stays finite when a gradient is scaled.
        lowest = ops.cast(-3e4, inputs.dtype)
        return ops.max(ops.where(real, inputs, lowest), axis=1)


@keras.saving.register_keras_serializable(package="models")
class AttentionPooling(_Pooling):
    """Takes a weighted mean whose weights are learned (Yang et al. 2016, equations 5 to 7).

    `u[t] = tanh(W h[t] + b)`, `a = softmax(u . v)` over real steps, `output = sum(a[t] h[t])`.

    Args:
        units: size of `u`.

    Call arguments, output shape: as `LastState`.
    """

    def __init__(self, units: int = 64, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.projection = keras.layers.Dense(units, activation="tanh")
        self.context = keras.layers.Dense(1, use_bias=False)

    def build(self, input_shape: tuple) -> None:
        self.projection.build(input_shape)
        self.context.build((*input_shape[:-1], self.units))
        super().build(input_shape)

    def call(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        return ops.einsum("bt,btf->bf", self.attention_weights(inputs, mask), inputs)

    def attention_weights(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        """Computes the weights, <float32>[batch, time], 0 where padded; rows sum to 1."""
        scores = ops.squeeze(self.context(self.projection(inputs)), axis=-1)
        lowest = ops.cast(-3e4, scores.dtype)
        return ops.softmax(ops.where(_real_steps(inputs, mask), scores, lowest), axis=1)

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}


POOLINGS: dict[str, type[keras.layers.Layer]] = {
    "last": LastState,
    "mean": MaskedMean,
    "max": MaskedMax,
    "attention": AttentionPooling,
}


def pooling_layer(name: str, bidirectional: bool = False) -> keras.layers.Layer:
    """Builds a pooling layer by its name.

    Args:
        name: one of `models.registry.POOLINGS`.
        bidirectional: whether the features are a forward and a backward half.

    Raises:
        ValueError: unknown name.
    """
    layer_class = choose("pooling", name, POOLINGS)
    return layer_class(bidirectional) if layer_class is LastState else layer_class()
