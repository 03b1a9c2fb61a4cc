"""The cells that Keras lacks; each computes one step of a `keras.layers.RNN`."""

from typing import Any

import keras
import tensorflow as tf
from keras import initializers, ops, regularizers

from models.recurrent import equations
from models.recurrent.initializers import GateBias


class Cell(keras.layers.Layer):
    """The base class of the cells: two kernels, a bias, further parameters, and one step.

    Args:
        units: size of the state.
        kernel_initializer, recurrent_initializer, bias_initializer: initializers of the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on them.
        forget_bias: added to the forget gate's bias when it is made (Gers et al. 2000).
        dropout: share of input features dropped, the same ones at all steps of a text.
        seed: of the dropout masks.

    Call arguments:
        inputs: <float32>[batch, features].
        states: <float32>[batch, units] each.

    Returns:
        The output <float32>[batch, units] and the new states.
    """

    # A subclass sets its equations; the sign of each gate, in the order of the bias, that
    # `models.recurrent.initializers.GateBias` takes; whether a new bias gets `forget_bias`; how
    # many states it has; and its parameters, each by its name, its size in units and its initial
    # value.
    equations: equations.Equations
    gate_signs: tuple[int, ...] = (-1, 1, 0, 0)
    forgets_by_bias = True
    num_states = 2
    parameters: tuple[tuple[str, int, str], ...] = ()

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        forget_bias: float = 1.0,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.forget_bias = forget_bias
        self.dropout = dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.state_size = [units] * self.num_states
        self.output_size = units

    def build(self, input_shape: tuple) -> None:
        size = len(self.gate_signs) * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], size),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, size),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            name="recurrent_kernel",
        )
        self.bias = self.add_weight(
            shape=(size,),
            initializer=self._initial_bias,
            regularizer=self.bias_regularizer,
            name="bias",
        )
        self.parameter_weights = [
            self.add_weight(shape=(count * self.units,), initializer=value, name=name)
            for name, count, value in self.parameters
        ]
        super().build(input_shape)

    def _initial_bias(self, shape, dtype=None):
        bias = self.bias_initializer(shape, dtype=dtype)
        if not self.forgets_by_bias:
            return bias
        return bias + GateBias(self.gate_signs, self.forget_bias)(shape, dtype=dtype)

    def step_weights(self) -> tuple[list, list]:
        """Returns the biases of both projections and the parameters, as the equations take them."""
        nothing = ops.zeros_like(self.bias)
        bias, *parameters = map(ops.convert_to_tensor, (self.bias, *self.parameter_weights))
        return [bias, nothing], parameters

    def call(self, inputs: tf.Tensor, states: list, training: bool = False) -> tuple:
        biases, parameters = self.step_weights()
        projections = [
            ops.matmul(inputs, self.kernel) + biases[0],
            ops.matmul(states[0], self.recurrent_kernel) + biases[1],
        ]
        if self.equations.merged:
            projections = [projections[0] + projections[1]]
        new_states = self.equations.step(projections, list(states), parameters, -1)
        return new_states[0], new_states

    def drop(self, sequences: tf.Tensor) -> tf.Tensor:
        """Drops features of <float32>[batch, time, features], of a text the same at all steps."""
        batch, _, features = ops.shape(sequences)
        return keras.random.dropout(
            sequences, self.dropout, noise_shape=(batch, 1, features), seed=self.seed_generator
        )

    def get_initial_state(self, batch_size: int | tf.Tensor | None = None) -> list:
        zeros = ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
        return [zeros] * self.num_states

    def get_config(self) -> dict:
        names = ("kernel", "recurrent", "bias")
        return {
            **super().get_config(),
            "units": self.units,
            **{
                f"{name}_initializer": initializers.serialize(getattr(self, f"{name}_initializer"))
                for name in names
            },
            **{
                f"{name}_regularizer": regularizers.serialize(getattr(self, f"{name}_regularizer"))
                for name in names
            },
            "forget_bias": self.forget_bias,
            "dropout": self.dropout,
            "seed": self.seed,
        }


class _NormalizedCell(Cell):
    """A cell whose projections have no bias, which the norms would undo: it comes after them."""

    def step_weights(self) -> tuple[list, list]:
        (bias, nothing), parameters = super().step_weights()
        return [nothing, nothing], [bias, *parameters]


@keras.saving.register_keras_serializable(package="models")
class PeepholeLSTMCell(Cell):
    """An LSTM whose gates see the cell state (Gers et al. 2002); see `equations.peephole_lstm`."""

    equations = equations.peephole_lstm
    parameters = (
        ("peephole_input", 1, "zeros"),
        ("peephole_forget", 1, "zeros"),
        ("peephole_output", 1, "zeros"),
    )


@keras.saving.register_keras_serializable(package="models")
class CoupledLSTMCell(Cell):
    """An LSTM with coupled gates (Greff et al. 2017); see `equations.coupled_lstm`."""

    equations = equations.coupled_lstm
    gate_signs = (1, 0, 0)


@keras.saving.register_keras_serializable(package="models")
class LayerNormLSTMCell(_NormalizedCell):
    """An LSTM with layer normalisation (Ba et al. 2016); see `equations.layer_norm_lstm`."""

    equations = equations.layer_norm_lstm
    parameters = (
        ("input_gain", 4, "ones"),
        ("recurrent_gain", 4, "ones"),
        ("carry_gain", 1, "ones"),
        ("carry_shift", 1, "zeros"),
    )


@keras.saving.register_keras_serializable(package="models")
class LayerNormGRUCell(_NormalizedCell):
    """A GRU with layer normalisation (Ba et al. 2016); see `equations.layer_norm_gru`."""

    equations = equations.layer_norm_gru
    gate_signs, forgets_by_bias, num_states = (1, 0, 0), False, 1
    parameters = (
        ("input_gain", 3, "ones"),
        ("recurrent_gain", 3, "ones"),
        ("recurrent_bias", 3, "zeros"),
    )


CELLS: dict[str, type[Cell]] = {
    "peephole_lstm": PeepholeLSTMCell,
    "coupled_lstm": CoupledLSTMCell,
    "layer_norm_lstm": LayerNormLSTMCell,
    "layer_norm_gru": LayerNormGRUCell,
}
