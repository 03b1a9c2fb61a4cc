"""The cells that Keras does not have, by the contract of its own: a step of `keras.layers.RNN`."""

import keras
from keras import initializers, ops, regularizers

from models.recurrent import equations
from models.recurrent.initializers import GateBias


class Cell(keras.layers.Layer):
    """What the cells here share: their kernels, their parameters and their one step.

    Args:
        units: size of the state.
        kernel_initializer, recurrent_initializer, bias_initializer: of the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on them.
        forget_bias: added to the forget gate's bias when it is made (Gers et al. 2000).
        dropout: share of input features dropped, the same ones at all steps of a text.
        seed: of the dropout.

    Call arguments:
        inputs: <float32>[batch, features].
        states: <float32>[batch, units] each.

    Returns:
        The output <float32>[batch, units] and the new states.
    """

    # What a subclass says of itself: its equations; each gate in the order of the bias, by the sign
    # of `models.recurrent.initializers.GateBias`; whether a new bias gets `forget_bias`; its
    # states; and its further weights: their name, size in units, and initial value.
    equations: equations.Equations
    gate_signs: tuple[int, ...] = (-1, 1, 0, 0)
    forgets_by_bias = True
    num_states = 2
    parameters: tuple = ()

    def __init__(
        self,
        units: int,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        forget_bias: float = 1.0,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
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

    def build(self, input_shape):
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
        """The two biases of the projections, and the parameters, as the equations take them."""
        nothing = ops.zeros_like(self.bias)
        bias, *parameters = map(ops.convert_to_tensor, (self.bias, *self.parameter_weights))
        return [bias, nothing], parameters

    def call(self, inputs, states, training=False):
        biases, parameters = self.step_weights()
        below = ops.matmul(inputs, self.kernel) + biases[0]
        before = ops.matmul(states[0], self.recurrent_kernel) + biases[1]
        projections = [below + before] if self.equations.merged else [below, before]
        new = self.equations.step(projections, list(states), parameters, -1)
        return new[0], new

    def drop(self, sequences):
        """<float32>[batch, time, features] with the same features of a text dropped throughout."""
        batch, _, features = ops.shape(sequences)
        return keras.random.dropout(
            sequences, self.dropout, noise_shape=(batch, 1, features), seed=self.seed_generator
        )

    def get_initial_state(self, batch_size=None):
        zeros = ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
        return [zeros] * self.num_states

    def get_config(self):
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
    """Its projections have no bias of their own: the norms would undo it. The bias comes after."""

    def step_weights(self):
        (bias, nothing), parameters = super().step_weights()
        return [nothing, nothing], [bias, *parameters]


@keras.saving.register_keras_serializable(package="models")
class PeepholeLSTMCell(Cell):
    """`models.recurrent.equations.peephole_lstm` (Gers et al. 2002)."""

    equations = equations.peephole_lstm
    parameters = (
        ("peephole_input", 1, "zeros"),
        ("peephole_forget", 1, "zeros"),
        ("peephole_output", 1, "zeros"),
    )


@keras.saving.register_keras_serializable(package="models")
class CoupledLSTMCell(Cell):
    """`models.recurrent.equations.coupled_lstm` (Greff et al. 2017)."""

    equations = equations.coupled_lstm
    gate_signs = (1, 0, 0)


@keras.saving.register_keras_serializable(package="models")
class LayerNormLSTMCell(_NormalizedCell):
    """`models.recurrent.equations.layer_norm_lstm` (Ba et al. 2016)."""

    equations = equations.layer_norm_lstm
    parameters = (
        ("input_gain", 4, "ones"),
        ("recurrent_gain", 4, "ones"),
        ("carry_gain", 1, "ones"),
        ("carry_shift", 1, "zeros"),
    )


@keras.saving.register_keras_serializable(package="models")
class LayerNormGRUCell(_NormalizedCell):
    """`models.recurrent.equations.layer_norm_gru` (Ba et al. 2016)."""

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
