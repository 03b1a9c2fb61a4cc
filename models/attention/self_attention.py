"""Self-attention over the outputs of an encoder."""

from typing import Any

import keras
from keras import ops

from models.attention.masked_softmax import masked_softmax


@keras.saving.register_keras_serializable(package="models")
class SelfAttention(keras.layers.Layer):
    """Self-attention with a residual connection: each position looks at all real positions.

    `weights = softmax(Q h . K h / sqrt(units))` (Vaswani et al. 2017, "Attention Is All You Need",
    equation 1, with one head), `outputs = h + O (weights V h)`: what Cheng et al. (2016) call
    intra-attention, on top of a recurrent layer.

    Args:
        units: size of queries, keys and values.

    Call arguments:
        inputs: <float32>[batch, time, features].
        mask: <bool>[batch, time], true at real positions, or None.

    Output shape:
        <float32>[batch, time, features].
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True
        self.query, self.key, self.value = (
            keras.layers.Dense(units, use_bias=False, name=name)
            for name in ("query", "key", "value")
        )

    def build(self, input_shape: tuple) -> None:
        for projection in (self.query, self.key, self.value):
            projection.build(input_shape)
        self.output_projection = keras.layers.Dense(input_shape[-1], use_bias=False, name="output")
        self.output_projection.build((*input_shape[:-1], self.units))
        super().build(input_shape)

    def call(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        weights = ops.cast(self.attention_weights(inputs, mask), inputs.dtype)
        return inputs + self.output_projection(ops.matmul(weights, self.value(inputs)))

    def attention_weights(
        self, inputs: keras.KerasTensor, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        """Computes the weights, <float32>[batch, time, time], 0 where padded; rows sum to 1."""
        scores = ops.matmul(self.query(inputs), ops.swapaxes(self.key(inputs), 1, 2))
        return masked_softmax(scores / self.units**0.5, None if mask is None else mask[:, None, :])

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}
