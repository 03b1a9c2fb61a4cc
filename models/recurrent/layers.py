"""Keras' recurrent layers, with the native operator or a compiled loop on a CPU.

The classes have the weights, the configuration and the results of the Keras layers that they are
made from; only the loop differs. On a GPU, Keras uses cuDNN as before.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models import compilation
from models.recurrent import compiled_batch, equations
from models.recurrent.native import operator
from models.recurrent.rounded_step import RoundedStep

# Keras' activations that the compiled loop has, too.
_ELEMENTWISE: dict[Any, Callable] = {
    keras.activations.tanh: tf.tanh,
    keras.activations.sigmoid: equations.sigmoid,
    keras.activations.relu: tf.nn.relu,
    keras.activations.linear: tf.identity,
}


class _CompiledLoop(keras.layers.RNN):
    """A mixin that gives a Keras recurrent layer a compiled loop; it comes first among the bases.

    With `weight_drop` the cell has another recurrent kernel while a training step is traced: a
    layer must not be traced by two threads at once.

    Args:
        weight_drop: share of the recurrent kernel's weights that are zero in a training step, the
            same ones for all texts and steps (weight-drop, Merity et al. 2018, "Regularizing and
            Optimizing LSTM Language Models"). It regularises as recurrent dropout does, and keeps
            the compiled loop and cuDNN.
    """

    # The sign of each gate in the order of the bias, see `models.recurrent.initializers.GateBias`.
    gate_signs: tuple[int, ...] = ()

    def __init__(self, *args: Any, weight_drop: float = 0.0, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not 0.0 <= weight_drop < 1.0:
            raise ValueError(f"weight_drop must be in [0, 1). Received: {weight_drop}")
        self.weight_drop = weight_drop
        if weight_drop:
            self.weight_drop_seed = keras.random.SeedGenerator(getattr(self.cell, "seed", None))

    def inner_loop(
        self, sequences: tf.Tensor, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple:
        cell_equations = self._equations() if self._can_compile(training) else None
        with self._drop_weights(training):
            if cell_equations is None:
                return self._stock_loop(sequences, initial_state, mask, training)
            return self._fast_loop(cell_equations, sequences, initial_state, mask, training)

    def _stock_loop(self, sequences, initial_state, mask, training):
        if compilation.stock_wanted():
            # The Keras layer itself would choose cuDNN.
            return keras.layers.RNN.inner_loop(self, sequences, initial_state, mask, training)
        return super().inner_loop(sequences, initial_state, mask=mask, training=training)

    def _can_compile(self, training: bool) -> bool:
        return (
            compilation.compiled_loops()
            and not self.unroll
            and getattr(self, "use_cudnn", "auto") is not True
            and self.compute_dtype != "float64"
            # Keras gives each gate a mask of its own.
            and not (training and getattr(self.cell, "recurrent_dropout", False))
        )

    @contextlib.contextmanager
    def _drop_weights(self, training: bool) -> Iterator[None]:
        if not (training and self.weight_drop):
            yield
            return
        # An ordinary assignment would make Keras take the tensor for a new weight.
        attributes = self.cell.__dict__
        kernel = attributes["recurrent_kernel"]
        attributes["recurrent_kernel"] = keras.random.dropout(
            ops.convert_to_tensor(kernel), self.weight_drop, seed=self.weight_drop_seed
        )
        try:
            yield
        finally:
            attributes["recurrent_kernel"] = kernel

    def _equations(self) -> equations.Equations | None:
        """Returns the equations of the cell, or None if the compiled loop has none for it."""
        raise NotImplementedError

    def _step_weights(self) -> tuple[list, list]:
        """Returns the biases of the two projections, None for a missing one, and the parameters."""
        return [self.cell.bias, None], []

    def _drop_inputs(self, sequences):
        """Applies the dropout of the inputs; Keras makes the mask once a call."""
        mask = self.cell.get_dropout_mask(sequences[:, 0, :])
        return sequences if mask is None else sequences * mask[:, None, :]

    def _fast_loop(self, cell_equations, sequences, initial_state, mask, training):
        """Runs the native operator where there is one for the cell, else the compiled loop."""

        # Sums over a long text need full precision; what is multiplied may be rounded below.
        def to_float32(x):
            return tf.cast(tf.convert_to_tensor(x), tf.float32)

        cell = self.cell
        if training:
            sequences = self._drop_inputs(sequences)
        if keras.tree.is_nested(mask):
            mask = mask[0]
        states = initial_state if keras.tree.is_nested(initial_state) else [initial_state]
        biases, parameters = self._step_weights()
        recurrent_kernel = to_float32(cell.recurrent_kernel)
        no_bias = tf.zeros_like(recurrent_kernel[0])
        bias, recurrent_bias = (no_bias if b is None else to_float32(b) for b in biases)
        arguments = {
            "inputs": to_float32(sequences),
            "kernel": to_float32(cell.kernel),
            "recurrent_kernel": recurrent_kernel,
            "bias": bias,
            "recurrent_bias": recurrent_bias,
            "parameters": [to_float32(parameter) for parameter in parameters],
            "states": [to_float32(state) for state in states],
            "mask": None if mask is None else tf.cast(mask, tf.bool),
            "return_sequences": self.return_sequences,
            "training": bool(training),
        }
        is_native = (
            cell_equations.native
            and compilation.native_operator()
            and operator.is_available(training)
        )
        run = self._run_native if is_native else self._run_compiled
        results = run(cell_equations, arguments)
        return tf.nest.map_structure(lambda x: tf.cast(x, self.compute_dtype), results)

    def rounded_step(self) -> RoundedStep:
        """Returns one step of the layer with its weights, as they are now, rounded to eight bits.

        Raises:
            ValueError: the native operator is missing, or has no such cell.
        """
        cell_equations = self._equations()
        if not (cell_equations and cell_equations.native):
            raise ValueError("the native operator has no such cell")
        if reason := operator.why_missing():
            raise ValueError(f"there is no native operator: {reason}")
        cell, (biases, parameters) = self.cell, self._step_weights()
        return RoundedStep(
            cell_equations.native, cell.kernel, cell.recurrent_kernel, biases, parameters
        )

    def _run_native(self, cell_equations, arguments):
        outputs, final = operator.run(
            cell_equations.native,
            **arguments,
            reverse=self.go_backwards,
            zero_masked=self.zero_output_for_mask,
            round_factors=self.compute_dtype == "bfloat16",
        )
        if self.return_sequences:
            return outputs[:, -1], outputs, final
        return outputs, outputs[:, None, :], final

    def _run_compiled(self, cell_equations, arguments):
        mask = arguments["mask"]
        if self.go_backwards:
            mask = None if mask is None else tf.reverse(mask, [1])
            inputs = tf.reverse(arguments["inputs"], [1])
            arguments = {**arguments, "inputs": inputs, "mask": mask}
        last, outputs, final = compiled_batch.run(cell_equations, **arguments)
        if mask is not None:
            # Before a text's first real step Keras returns zeros, whatever the initial state.
            kept = tf.math.cumsum(tf.cast(mask, tf.int32), axis=1) > 0
            if self.zero_output_for_mask:
                kept = mask
            last = tf.where(kept[:, -1:], last, 0.0)
            outputs = None if outputs is None else tf.where(kept[:, :, None], outputs, 0.0)
        return last, last[:, None, :] if outputs is None else outputs, final

    def get_config(self) -> dict:
        # Without the default, so that Keras' layer takes the configuration, too.
        option = {"weight_drop": self.weight_drop} if self.weight_drop else {}
        return {**super().get_config(), **option}


@keras.saving.register_keras_serializable(package="models")
class SimpleRNN(_CompiledLoop, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` with a compiled loop; see `equations.simple_rnn`."""

    def _equations(self):
        tanh = _ELEMENTWISE.get(self.activation)
        return tanh and equations.simple_rnn(tanh)


@keras.saving.register_keras_serializable(package="models")
class LSTM(_CompiledLoop, keras.layers.LSTM):
    """`keras.layers.LSTM` with a compiled loop; see `equations.lstm`."""

    gate_signs = (-1, 1, 0, 0)

    def _equations(self):
        tanh, s = (_ELEMENTWISE.get(a) for a in (self.activation, self.recurrent_activation))
        return tanh and s and equations.lstm(tanh, s)


@keras.saving.register_keras_serializable(package="models")
class GRU(_CompiledLoop, keras.layers.GRU):
    """`keras.layers.GRU` with a compiled loop, if `reset_after`; see `equations.gru`."""

    # An update gate of 1 keeps the state.
    gate_signs = (1, 0, 0)

    def _equations(self):
        tanh, s = (_ELEMENTWISE.get(a) for a in (self.activation, self.recurrent_activation))
        # With the reset gate before the product, a step has two products, one after the other.
        return (tanh and s and self.reset_after and equations.gru(tanh, s)) or None

    def _step_weights(self):
        bias = self.cell.bias
        return [None, None] if bias is None else [bias[0], bias[1]], []


@keras.saving.register_keras_serializable(package="models")
class CellRNN(_CompiledLoop):
    """`keras.layers.RNN` with a compiled loop over a cell of `models.recurrent.cells`."""

    def call(
        self,
        sequences: tf.Tensor,
        initial_state: Any = None,
        mask: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        if training and self.cell.dropout:
            sequences = self.cell.drop(sequences)
        return super().call(sequences, initial_state, mask, training)

    def _equations(self):
        return self.cell.equations

    def _step_weights(self):
        return self.cell.step_weights()

    def _drop_inputs(self, sequences):
        # `call` has applied it already, for both loops.
        return sequences


@keras.saving.register_keras_serializable(package="models")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` whose two loops run side by side, each on half of the cores."""

    def call(
        self,
        sequences: tf.Tensor,
        initial_state: Any = None,
        mask: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        with compilation.side_by_side(2):
            return super().call(sequences, initial_state, mask, training)

    # Keras hands the weights of both directions to cuDNN at once and skips `inner_loop`.
    def _can_attempt_fused_lstm(self, mask, initial_state=None):
        return self._can_fuse() and super()._can_attempt_fused_lstm(mask, initial_state)

    def _can_attempt_fused_gru(self, mask, initial_state=None):
        return self._can_fuse() and super()._can_attempt_fused_gru(mask, initial_state)

    def _can_fuse(self) -> bool:
        layers = (self.forward_layer, self.backward_layer)
        has_weight_drop = any(getattr(layer, "weight_drop", 0.0) for layer in layers)
        return not (has_weight_drop or compilation.stock_wanted())
