"""The derivatives of one step of a cell for the compiled loop, by hand where that is worth it.

The arrays lie as in `models.recurrent.compiled_loop`: <float32>[features, batch].
"""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Gradient:
    """One step of a cell and its derivatives.

    Attributes:
        heights: of the arrays that the step keeps for its derivatives, in units.
        forward: takes the projections, the previous states and the parameters; returns the new
            states, the output first, and the kept arrays.
        backward: takes the kept arrays, the states before and after the step, the parameters, and
            the derivatives of the loss by the states after it; returns its derivatives by the
            states before it, except through the projections, by the projections, and by the
            parameters.
    """

    heights: tuple[int, ...]
    forward: Callable
    backward: Callable


def by_tape(step: Callable, heights: tuple[int, ...]) -> Gradient:
    """Returns the gradient of any step: it keeps the projections, computes the step again and lets
    TensorFlow differentiate it.

    Args:
        step: as `models.recurrent.equations.Equations.step`.
        heights: of the projections, in units.
    """

    def forward(projections, states, parameters):
        return step(projections, states, parameters, 0), projections

    def backward(projections, before, after, parameters, derivatives):
        inputs = before, projections, parameters
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            after = step(projections, before, parameters, 0)
        return tape.gradient(after, inputs, derivatives, unconnected_gradients="zero")

    return Gradient(heights, forward, backward)


def simple_rnn() -> Gradient:
    """Returns the gradient of `models.recurrent.equations.simple_rnn` with tanh; its derivative is
    `1 - h^2`."""

    def forward(projections, states, parameters):
        return [tf.tanh(projections[0])], []

    def backward(kept, before, after, parameters, derivatives):
        return [tf.zeros_like(before[0])], [derivatives[0] * (1.0 - after[0] * after[0])], []

    return Gradient((), forward, backward)


def lstm() -> Gradient:
    """Returns the gradient of `models.recurrent.equations.lstm` with tanh and sigmoid; it keeps the
    activated gates."""

    def forward(projections, states, parameters):
        # s(x) = tanh(x / 2) / 2 + 1 / 2: one pass over the four gates, each row with its factor.
        units = tf.shape(states[0])[0]
        half, one = tf.fill([units, 1], 0.5), tf.fill([units, 1], 1.0)
        scale = tf.concat([half, half, one, half], 0)
        shift = tf.concat([half, half, one - 1.0, half], 0)
        gates = scale * tf.tanh(scale * projections[0]) + shift
        i, f, g, o = tf.split(gates, 4)
        carry = f * states[1] + i * g
        return [o * tf.tanh(carry), carry], [gates]

    def backward(kept, before, after, parameters, derivatives):
        i, f, g, o = tf.split(kept[0], 4)
        d_output, d_carry = derivatives
        tanh_carry = tf.tanh(after[1])
        d_carry = d_carry + d_output * o * (1.0 - tanh_carry * tanh_carry)
        d_gates = [
            d_carry * g * i * (1.0 - i),
            d_carry * before[1] * f * (1.0 - f),
            d_carry * i * (1.0 - g * g),
            d_output * tanh_carry * o * (1.0 - o),
        ]
        return [tf.zeros_like(d_output), d_carry * f], [tf.concat(d_gates, 0)], []

    return Gradient((4,), forward, backward)


def gru() -> Gradient:
    """Returns the gradient of `models.recurrent.equations.gru` with tanh and sigmoid; it keeps the
    activated gates and what the reset gate multiplies."""

    def forward(projections, states, parameters):
        x, h = projections
        units = tf.shape(states[0])[0]
        gates = 0.5 * tf.tanh(0.5 * (x[: 2 * units] + h[: 2 * units])) + 0.5
        update, reset = tf.split(gates, 2)
        _, _, g_h = tf.split(h, 3)
        new = tf.tanh(x[2 * units :] + reset * g_h)
        return [new + update * (states[0] - new)], [gates, new, g_h]

    def backward(kept, before, after, parameters, derivatives):
        gates, new, g_h = kept
        update, reset = tf.split(gates, 2)
        d_output = derivatives[0]
        d_new = d_output * (1.0 - update) * (1.0 - new * new)
        d_update = d_output * (before[0] - new) * update * (1.0 - update)
        d_reset = d_new * g_h * reset * (1.0 - reset)
        d_x = tf.concat([d_update, d_reset, d_new], 0)
        d_h = tf.concat([d_update, d_reset, d_new * reset], 0)
        return [d_output * update], [d_x, d_h], []

    return Gradient((2, 1, 1), forward, backward)
