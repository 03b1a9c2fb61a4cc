"""The equations of the cells, each written once for both layouts of the features.

Keras' loop calls a step with [batch, features] and axis -1, the compiled loop with
[features, batch] and axis 0. `W x` stands for the projection of the input, `R h` for that of the
previous output, each with its bias; `s` is the sigmoid. The parts of a projection lie in the order
in which its gates are named.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from models.recurrent import step_gradients

_EPSILON = 1e-3

# step(projections, states, parameters, axis) -> the new states, see `Equations.step`
Step = Callable[[list, list, Sequence, int], list]


@dataclass(frozen=True)
class Equations:
    """One step of a cell.

    Attributes:
        step: of the projections, the previous states, the parameters, and the axis of the features;
            returns the new states, the output first. The projections are `[W x + R h]` if `merged`,
            else `[W x, R h]`; all arrays are <float32>[batch, features] for axis -1 and
            [features, batch] for axis 0, parameters [features] or [features, 1].
        merged: whether the step needs only the sum of the two projections.
        gradient: of the step, for the compiled loop.
        native: the name of the cell in the native operator, or "" if it has none.
    """

    step: Step
    merged: bool
    gradient: step_gradients.Gradient
    native: str = ""


def _by_tape(gates: int, merged: bool = True, native: str = "") -> Callable[[Step], Equations]:
    """Returns a decorator that makes equations of a step, with TensorFlow's own gradient.

    Args:
        gates: height of each projection, in units.
        merged, native: as in `Equations`.
    """

    def decorate(step: Step) -> Equations:
        heights = (gates,) * (1 if merged else 2)
        return Equations(step, merged, step_gradients.by_tape(step, heights), native)

    return decorate


def sigmoid(x: tf.Tensor) -> tf.Tensor:
    """Computes the sigmoid by a tanh: XLA's own has a division, which takes twice the time."""
    return 0.5 * tf.tanh(0.5 * x) + 0.5


@functools.cache
def simple_rnn(tanh: Callable = tf.tanh) -> Equations:
    """Returns the equations of the simple recurrent network: `h = tanh(W x + R h)` (Elman 1990)."""

    def step(projections: list, states: list, parameters: Sequence, axis: int) -> list:
        return [tanh(projections[0])]

    if tanh is tf.tanh:
        return Equations(step, True, step_gradients.simple_rnn(), native="simple_rnn")
    return _by_tape(gates=1)(step)


@functools.cache
def lstm(tanh: Callable = tf.tanh, s: Callable = sigmoid) -> Equations:
    """Returns the equations of the LSTM of Hochreiter & Schmidhuber (1997) with the forget gate of
    Gers et al. (2000), as Keras has it.

    `i, f, g, o = W x + R h`, `c = s(f) c + s(i) tanh(g)`, `h = s(o) tanh(c)`.
    """

    def step(projections: list, states: list, parameters: Sequence, axis: int) -> list:
        i, f, g, o = tf.split(projections[0], 4, axis)
        carry = s(f) * states[1] + s(i) * tanh(g)
        return [s(o) * tanh(carry), carry]

    if (tanh, s) == (tf.tanh, sigmoid):
        return Equations(step, True, step_gradients.lstm(), native="lstm")
    return _by_tape(gates=4)(step)


@functools.cache
def gru(tanh: Callable = tf.tanh, s: Callable = sigmoid) -> Equations:
    """Returns the equations of the GRU of Cho et al. (2014) with the reset gate after the product,
    as cuDNN has it.

    `z, r, g = W x`, `z', r', g' = R h`, `z = s(z + z')`, `r = s(r + r')`, `g = tanh(g + r g')`,
    `h = z h + (1 - z) g`.
    """

    def step(projections: list, states: list, parameters: Sequence, axis: int) -> list:
        (z, r, g), (z_h, r_h, g_h) = (tf.split(p, 3, axis) for p in projections)
        update = s(z + z_h)
        return [update * states[0] + (1.0 - update) * tanh(g + s(r + r_h) * g_h)]

    if (tanh, s) == (tf.tanh, sigmoid):
        return Equations(step, False, step_gradients.gru(), native="gru")
    return _by_tape(gates=3, merged=False)(step)


@_by_tape(gates=4, native="peephole_lstm")
def peephole_lstm(projections: list, states: list, parameters: Sequence, axis: int) -> list:
    """The peephole LSTM of Gers, Schraudolph & Schmidhuber (2002), "Learning Precise Timing with
    LSTM Recurrent Networks": gates see the cell state through weights `p`, one for each unit.

    `i, f, g, o = W x + R h`, `i = s(i + p_i c)`, `f = s(f + p_f c)`, `c = f c + i tanh(g)`,
    `o = s(o + p_o c)` with the new `c`, `h = o tanh(c)`.
    """
    i, f, g, o = tf.split(projections[0], 4, axis)
    p_i, p_f, p_o = parameters
    carry = states[1]
    carry = sigmoid(f + p_f * carry) * carry + sigmoid(i + p_i * carry) * tf.tanh(g)
    return [sigmoid(o + p_o * carry) * tf.tanh(carry), carry]


@_by_tape(gates=3, native="coupled_lstm")
def coupled_lstm(projections: list, states: list, parameters: Sequence, axis: int) -> list:
    """The LSTM with coupled input and forget gates, CIFG, of Greff et al. (2017), "LSTM: A Search
    Space Odyssey": the input gate is one minus the forget gate.

    `f, g, o = W x + R h`, `c = s(f) c + (1 - s(f)) tanh(g)`, `h = s(o) tanh(c)`.
    """
    f, g, o = tf.split(projections[0], 3, axis)
    forget = sigmoid(f)
    carry = forget * states[1] + (1.0 - forget) * tf.tanh(g)
    return [sigmoid(o) * tf.tanh(carry), carry]


def _normalize(x: tf.Tensor, gain: tf.Tensor, axis: int) -> tf.Tensor:
    """Normalises the features of a layer (Ba et al. 2016, equation 4), without a shift."""
    centred = x - tf.reduce_mean(x, axis, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis, keepdims=True)
    return gain * centred * tf.math.rsqrt(variance + _EPSILON)


@_by_tape(gates=4, merged=False)
def layer_norm_lstm(projections: list, states: list, parameters: Sequence, axis: int) -> list:
    """The LSTM with layer normalisation of Ba, Kiros & Hinton (2016), "Layer Normalization",
    equations 20 to 22.

    `i, f, g, o = LN(W x; a_x) + LN(R h; a_h) + b`, `c = s(f) c + s(i) tanh(g)`,
    `h = s(o) tanh(LN(c; a_c) + b_c)`. The projections have no bias: the norms would undo it.
    """
    shift, gain_x, gain_h, gain_c, shift_c = parameters
    total = _normalize(projections[0], gain_x, axis) + _normalize(projections[1], gain_h, axis)
    i, f, g, o = tf.split(total + shift, 4, axis)
    carry = sigmoid(f) * states[1] + sigmoid(i) * tf.tanh(g)
    return [sigmoid(o) * tf.tanh(_normalize(carry, gain_c, axis) + shift_c), carry]


@_by_tape(gates=3, merged=False)
def layer_norm_gru(projections: list, states: list, parameters: Sequence, axis: int) -> list:
    """The GRU of Ba et al. (2016), with the reset gate after the product.

    `z, r, g = LN(W x; a_x) + b_x`, `z', r', g' = LN(R h; a_h) + b_h`, then as `gru`.
    """
    shift_x, gain_x, gain_h, shift_h = parameters
    normalized = [
        _normalize(projections[0], gain_x, axis) + shift_x,
        _normalize(projections[1], gain_h, axis) + shift_h,
    ]
    return gru().step(normalized, states, (), axis)
