"""Keras' recurrent layers with a compiled loop on a CPU.

The classes have the weights, the configuration and the results of the Keras layers that they are
made from; only the way there differs. On a GPU, Keras' cuDNN path stays as it is.
"""

import contextlib

import keras
import tensorflow as tf
from keras import ops

from models import compilation
from models.recurrent import compiled_batch, equations

_ELEMENTWISE = {
    keras.activations.tanh: tf.tanh,
    keras.activations.sigmoid: equations.sigmoid,
    keras.activations.relu: tf.nn.relu,
    keras.activations.linear: tf.identity,
}


class _CompiledLoop:
    """What turns a Keras recurrent layer into one with a compiled loop; stands before it in a
    class's bases.

    Args:
        weight_drop: share of the recurrent kernel's weights that are zero in a training step, the
            same ones for all texts and steps (weight-drop, Merity et al. 2018, "Regularizing and
            Optimizing LSTM Language Models"). It regularises as recurrent dropout does, and keeps
            the compiled loop and cuDNN.
    """

    # Of each gate in the order of the bias, see `models.recurrent.initializers.GateBias`.
    gate_signs: tuple[int, ...] = ()

    def __init__(self, *args, weight_drop: float = 0.0, **kwargs):
        super().__init__(*args, **kwargs)
        if not 0.0 <= weight_drop < 1.0:
            raise ValueError(f"weight_drop must be in [0, 1). Received: {weight_drop}")
        self.weight_drop = weight_drop
        if weight_drop:
            self.weight_drop_seed = keras.random.SeedGenerator(getattr(self.cell, "seed", None))

    def inner_loop(self, sequences, initial_state, mask, training=False):
        with self._dropped_weights(training):
            if not self._compiles(training):
                return self._stock_loop(sequences, initial_state, mask, training)
            return self._compiled_loop(sequences, initial_state, mask, training)

    def _stock_loop(self, sequences, initial_state, mask, training):
        if compilation.stock_wanted():
            # Past the class that would choose cuDNN.
            return keras.layers.RNN.inner_loop(self, sequences, initial_state, mask, training)
        return super().inner_loop(sequences, initial_state, mask=mask, training=training)

    def _compiles(self, training) -> bool:
        return (
            compilation.compiled_loops()
            and not self.unroll
            and getattr(self, "use_cudnn", "auto") is not True
            and self.compute_dtype != "float64"
            # Keras gives each gate a mask of its own.
            and not (training and getattr(self.cell, "recurrent_dropout", 0.0))
            and self._equations() is not None
        )

    @contextlib.contextmanager
    def _dropped_weights(self, training):
        if not (training and self.weight_drop):
            yield
            return
        # Past Keras' bookkeeping, which would take the tensor for a new weight.
        attributes = vars(self.cell)
        kernel = attributes["recurrent_kernel"]
        attributes["recurrent_kernel"] = keras.random.dropout(
            ops.convert_to_tensor(kernel), self.weight_drop, seed=self.weight_drop_seed
        )
        try:
            yield
        finally:
            attributes["recurrent_kernel"] = kernel

    def _equations(self) -> equations.Equations | None:
        """Of the cell, or None if the compiled loop has none like it."""
        raise NotImplementedError

    def _step_weights(self) -> tuple[list, list]:
        """The biases of the two projections, None where there is none, and further parameters."""
        return [self.cell.bias, None], []

    def _dropped_inputs(self, sequences):
        """The inputs as dropout leaves them; Keras makes the mask once a call."""
        mask = self.cell.get_dropout_mask(sequences[:, 0, :])
        return sequences if mask is None else sequences * mask[:, None, :]

    def _compiled_loop(self, sequences, initial_state, mask, training):
        # Sums over a long text want more than half precision, and a CPU has no faster one.
        def full(x):
            return tf.cast(tf.convert_to_tensor(x), tf.float32)

        cell = self.cell
        if training:
            sequences = self._dropped_inputs(sequences)
        if keras.tree.is_nested(mask):
            mask = mask[0]
        states = initial_state if keras.tree.is_nested(initial_state) else [initial_state]
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
            mask = None if mask is None else tf.reverse(mask, [1])
        biases, parameters = self._step_weights()
        recurrent_kernel = full(cell.recurrent_kernel)
        nothing = tf.zeros_like(recurrent_kernel[0])
        last, outputs, final = compiled_batch.run(
            self._equations(),
            full(sequences),
            full(cell.kernel),
            recurrent_kernel,
            *(nothing if bias is None else full(bias) for bias in biases),
            [full(parameter) for parameter in parameters],
            [full(state) for state in states],
            None if mask is None else tf.cast(mask, tf.bool),
            self.return_sequences,
            bool(training),
        )
        if mask is not None:
            # Before its first real step Keras gives zeros, whatever the initial state.
            shown = tf.math.cumsum(tf.cast(mask, tf.int32), axis=1) > 0
            if self.zero_output_for_mask:
                shown = tf.cast(mask, tf.bool)
            last = tf.where(shown[:, -1:], last, 0.0)
            outputs = None if outputs is None else tf.where(shown[:, :, None], outputs, 0.0)
        outputs = last[:, None, :] if outputs is None else outputs
        return tf.nest.map_structure(
            lambda x: tf.cast(x, self.compute_dtype), (last, outputs, final)
        )

    def get_config(self):
        # Left out at its default, so that Keras' own layer takes the configuration.
        drop = {"weight_drop": self.weight_drop} if self.weight_drop else {}
        return {**super().get_config(), **drop}


@keras.saving.register_keras_serializable(package="models")
class SimpleRNN(_CompiledLoop, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN`; the recurrence is `models.recurrent.equations.simple_rnn`."""

    def _equations(self):
        tanh = _ELEMENTWISE.get(self.activation)
        return tanh and equations.simple_rnn(tanh)


@keras.saving.register_keras_serializable(package="models")
class LSTM(_CompiledLoop, keras.layers.LSTM):
    """`keras.layers.LSTM`; the recurrence is `models.recurrent.equations.lstm`."""

    gate_signs = (-1, 1, 0, 0)

    def _equations(self):
        tanh, s = (_ELEMENTWISE.get(a) for a in (self.activation, self.recurrent_activation))
        return tanh and s and equations.lstm(tanh, s)


@keras.saving.register_keras_serializable(package="models")
class GRU(_CompiledLoop, keras.layers.GRU):
    """`keras.layers.GRU`; the recurrence with `reset_after` is `models.recurrent.equations.gru`."""

    # The update gate keeps.
    gate_signs = (1, 0, 0)

    def _equations(self):
        tanh, s = (_ELEMENTWISE.get(a) for a in (self.activation, self.recurrent_activation))
        # With the reset gate before the product, a step has two products, one after the other.
        return (tanh and s and self.reset_after and equations.gru(tanh, s)) or None

    def _step_weights(self):
        bias = self.cell.bias
        return [None, None] if bias is None else [bias[0], bias[1]], []


@keras.saving.register_keras_serializable(package="models")
class CellRNN(_CompiledLoop, keras.layers.RNN):
    """`keras.layers.RNN` over a cell of `models.recurrent.cells`."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if training and self.cell.dropout:
            sequences = self.cell.drop(sequences)
        return super().call(sequences, initial_state, mask, training)

    def _equations(self):
        return self.cell.equations

    def _step_weights(self):
        return self.cell.step_weights()

    def _dropped_inputs(self, sequences):
        # `call` has dropped them already, for both loops.
        return sequences


@keras.saving.register_keras_serializable(package="models")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional`; its two loops run side by side, each on half of the cores."""

    def call(self, sequences, initial_state=None, mask=None, training=None):
        with compilation.side_by_side(2):
            return super().call(sequences, initial_state, mask, training)

    # Keras hands both directions' weights to cuDNN at once, past what `inner_loop` does to them.
    def _can_attempt_fused_lstm(self, mask, initial_state=None):
        return self._fusible() and super()._can_attempt_fused_lstm(mask, initial_state)

    def _can_attempt_fused_gru(self, mask, initial_state=None):
        return self._fusible() and super()._can_attempt_fused_gru(mask, initial_state)

    def _fusible(self) -> bool:
        layers = (self.forward_layer, self.backward_layer)
        dropped = any(getattr(layer, "weight_drop", 0.0) for layer in layers)
        return not (dropped or compilation.stock_wanted())
