"""The loop over time on a CPU: compiled, with a gradient of the whole sequence.

Keras runs a recurrent layer as a general loop of small TensorFlow operations and lets TensorFlow
record each for the gradient. `run` does the same arithmetic in another form:

- Everything lies features by batch, the time outermost: `[time, features, batch]`. What a step
  reads and writes is one block of memory, and `R^T h` multiplies matrices as they lie.
- The loop and its gradient are two functions that XLA compiles. The forward loop keeps the
  projections and the states; the backward loop takes the gates' derivatives from them, so that it
  needs no second product with the recurrent kernel; the gradients of the kernels are single
  products after the loop.
- The batch is cut into as many parts as there are cores, each with a loop of its own: at these
  sizes two cores that never wait for each other are faster than two that share each product.
- XLA compiles for each shape, so time is padded up to a few lengths and the batch to multiples of
  eight a part. The loop still ends with the last real step: padding costs memory, no products.
"""

import contextlib
import functools
import os
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from models.equations import Equations

# More parts than this leave each with too few columns for a product to be worth its overhead.
_PARTS = min(4, os.cpu_count() or 1)
_COLUMNS = 8

_stock = False


@contextlib.contextmanager
def stock_operations():
    """Layers called inside use Keras' loop: what is traced there holds stock TensorFlow operations.

    `with stock_operations(): model.export(folder)` writes a SavedModel that needs neither XLA nor
    cuDNN.
    """
    global _stock
    before, _stock = _stock, True
    try:
        yield
    finally:
        _stock = before


def stock_wanted() -> bool:
    """Whether this is inside of `stock_operations`."""
    return _stock


def compiled_loops() -> bool:
    """Whether layers may use `run`: on a CPU, in a graph, and outside of `stock_operations`.

    An eager tape looks into the compiled function and finds operations without a gradient.
    """
    return not (_stock or _has_gpu() or tf.executing_eagerly())


@functools.cache
def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def run(
    equations: Equations,
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    recurrent_bias: tf.Tensor,
    parameters: list[tf.Tensor],
    states: list[tf.Tensor],
    mask: tf.Tensor | None,
    return_sequences: bool,
    training: bool,
) -> tuple[tf.Tensor, tf.Tensor | None, list[tf.Tensor]]:
    """Runs a cell over a batch of sequences.

    Args:
        equations: of the cell.
        inputs: <float32>[batch, time, features].
        kernel: <float32>[features, gates * units].
        recurrent_kernel: <float32>[units, gates * units].
        bias, recurrent_bias: <float32>[gates * units], of the two projections.
        parameters: further weights of the cell, <float32>[any].
        states: initial ones, <float32>[batch, units] each.
        mask: <bool>[batch, time], false where a step leaves the states as they are; or None.
        return_sequences: whether the outputs of all steps are wanted.
        training: whether a gradient will be asked for. It can be had without, at the cost of a
            second forward loop.

    Returns:
        The last output <float32>[batch, units], all outputs <float32>[batch, time, units] or None,
        and the final states.
    """
    batch, steps = tf.shape(inputs)[0], tf.shape(inputs)[1]
    columns = _round_up(batch, _PARTS * _COLUMNS) - batch
    padding = tf.gather(_LENGTHS, tf.searchsorted(_LENGTHS, steps[None])[0]) - steps
    # [batch, time, features] -> [time, features, batch]
    x = tf.transpose(tf.pad(inputs, [[0, columns], [0, padding], [0, 0]]), [1, 2, 0])
    states = [tf.transpose(tf.pad(state, [[0, columns], [0, 0]])) for state in states]
    pieces = [tf.split(each, _PARTS, axis=-1) for each in (x, *states)]
    if mask is not None:
        padded = tf.transpose(tf.pad(mask, [[0, columns], [0, padding]]))
        pieces.append(tf.split(padded[:, None, :], _PARTS, axis=-1))
    kernels = [tf.transpose(kernel), tf.transpose(recurrent_kernel)]
    biases = [bias[:, None], recurrent_bias[:, None]]
    if equations.merged:
        kernels, biases = [tf.concat(kernels, axis=1)], [tf.add_n(biases)]
    weights = [*kernels, *biases, *(parameter[:, None] for parameter in parameters)]
    loop = _Loop(equations, len(states), len(parameters), mask is not None, return_sequences)
    parts = [loop(training, steps, weights, list(piece)) for piece in zip(*pieces, strict=True)]
    final = [
        tf.transpose(tf.concat(columns, axis=1))[:batch]
        for columns in zip(*(part[: len(states)] for part in parts), strict=True)
    ]
    outputs = None
    if return_sequences:
        outputs = tf.concat([part[-1] for part in parts], axis=2)[:steps]
        outputs = tf.transpose(outputs, [2, 0, 1])[:batch]
    # What the compiled functions return has no static shape; the layers after this want theirs.
    final = [
        tf.ensure_shape(state, [inputs.shape[0], recurrent_kernel.shape[0]]) for state in final
    ]
    if return_sequences:
        outputs = tf.ensure_shape(outputs, [*inputs.shape[:2], recurrent_kernel.shape[0]])
    return final[0], outputs, final


def _round_up(number: tf.Tensor, multiple: int) -> tf.Tensor:
    return -(-number // multiple) * multiple


def _lengths() -> list[int]:
    """The lengths that are compiled for: eight, then eight to each doubling."""
    lengths = list(range(8, 65, 8))
    while lengths[-1] < 1 << 24:
        lengths.append(lengths[-1] + (1 << lengths[-1].bit_length() - 1) // 8)
    return lengths


_LENGTHS = np.array(_lengths(), np.int32)


@dataclass(frozen=True)
class _Loop:
    """The compiled loop of one part of the batch.

    Its arrays, all <float32>: `weights` are `[[kernel^T recurrent_kernel^T], bias]` if merged, else
    `[kernel^T, recurrent_kernel^T, bias, recurrent_bias]`, then the parameters; `sequences` are
    inputs [time, features, batch], states [units, batch], and with a mask <bool>[time, 1, batch].
    """

    equations: Equations
    num_states: int
    num_parameters: int
    masked: bool
    return_sequences: bool

    def __call__(self, training: bool, steps, weights: list, sequences: list) -> list:
        """The final states, and with `return_sequences` the outputs [time, units, batch]."""
        return self._differentiable(training)(steps, *weights, *sequences)

    # The caches below keep their loops for good: there are as many as kinds of layers.
    @functools.cache  # noqa: B019
    def _differentiable(self, training: bool):
        @tf.custom_gradient
        def loop(steps, *arrays):
            final, kept = self._forward(training)(steps, *arrays)
            results = final + ([kept[0][1:]] if self.return_sequences else [])

            def gradient(*derivatives):
                keep = kept if training else self._forward(True)(steps, *arrays)[1]
                return [None, *self._gradient(steps, arrays, keep, list(derivatives))]

            return results, gradient

        # Called eagerly, a gradient of its own is only asked for inside of a graph.
        return tf.function(loop, reduce_retracing=True)

    @property
    def _num_weights(self) -> int:
        return (2 if self.equations.merged else 4) + self.num_parameters

    def _gradient(self, steps, arrays: tuple, kept: list, derivatives: list) -> list:
        """Of every array, in order."""
        inputs = arrays[self._num_weights]
        d_inputs, d_states, d_projections, d_parameters = self._backward()(
            steps, arrays, kept, derivatives
        )
        # Past the last real step there is nothing but zeros.
        flat = [_features_first(each[:steps]) for each in d_projections]
        behind = _features_first(inputs[:steps]), _features_first(kept[0][:steps])
        if self.equations.merged:
            d_kernels = [tf.concat([tf.matmul(flat[0], b, transpose_b=True) for b in behind], 1)]
        else:
            d_kernels = [
                tf.matmul(d, b, transpose_b=True) for d, b in zip(flat, behind, strict=True)
            ]
        d_biases = [tf.reduce_sum(d, axis=1, keepdims=True) for d in flat]
        d_mask = [None] if self.masked else []
        return [*d_kernels, *d_biases, *d_parameters, d_inputs, *d_states, *d_mask]

    def _unpack(self, arrays):
        weights, sequences = arrays[: self._num_weights], arrays[self._num_weights :]
        split = self._num_weights - self.num_parameters
        inputs, states = sequences[0], list(sequences[1 : 1 + self.num_states])
        return weights[:split], list(weights[split:]), inputs, states, sequences[-1]

    def _step(self, projections, states, parameters, mask, time):
        new = self.equations.step(projections, states, parameters, 0)
        if self.masked:
            real = _read(mask, time)
            new = [tf.where(real, n, old) for n, old in zip(new, states, strict=True)]
        return new

    @functools.cache  # noqa: B019
    def _forward(self, keep: bool):
        """Compiled: the final states, and what is kept.

        With `keep` the states of all steps, the initial ones first, then the projections; without,
        the outputs of all steps if they are wanted.
        """

        def forward(steps, *arrays):
            weights, parameters, inputs, states, mask = self._unpack(arrays)
            length, batch = tf.shape(inputs)[0], tf.shape(inputs)[2]
            gates, units = tf.shape(weights[0])[0], tf.shape(states[0])[0]
            kept_states = self.num_states if keep else int(self.return_sequences)
            kept_projections = (1 if self.equations.merged else 2) if keep else 0
            histories = [
                _write(tf.zeros([length + 1, units, batch]), 0, state)
                for state in states[:kept_states]
            ]
            kept = [tf.zeros([length, gates, batch]) for _ in range(kept_projections)]

            def body(time, states, histories, kept):
                below = _read(inputs, time)
                if self.equations.merged:
                    below = [tf.matmul(weights[0], tf.concat([below, states[0]], 0)) + weights[1]]
                else:
                    below = [
                        tf.matmul(weights[0], below) + weights[2],
                        tf.matmul(weights[1], states[0]) + weights[3],
                    ]
                states = self._step(below, states, parameters, mask, time)
                # Lists of two lengths: nothing may be kept.
                histories = [_write(h, time + 1, s) for h, s in zip(histories, states)]  # noqa: B905
                kept = [_write(k, time, b) for k, b in zip(kept, below)]  # noqa: B905
                return time + 1, states, histories, kept

            _, states, histories, kept = _while(
                lambda time, *_: time < steps, body, [tf.constant(0), states, histories, kept]
            )
            return states, histories + kept

        return tf.function(forward, jit_compile=True, reduce_retracing=True)

    @functools.cache  # noqa: B019
    def _backward(self):
        """Compiled: derivatives of inputs, initial states, projections and parameters."""

        def backward(steps, arrays, kept, derivatives):
            weights, parameters, inputs, _, mask = self._unpack(arrays)
            histories, projections = kept[: self.num_states], kept[self.num_states :]
            d_final = derivatives[: self.num_states]
            features = tf.shape(inputs)[1]
            transposed = [tf.transpose(w) for w in weights[: 1 if self.equations.merged else 2]]

            def body(time, d_states, d_inputs, d_projections, d_parameters):
                time = time - 1
                if self.return_sequences:
                    d_states = [d_states[0] + _read(derivatives[-1], time), *d_states[1:]]
                before = [_read(history, time) for history in histories]
                below = [_read(each, time) for each in projections]
                with tf.GradientTape() as tape:
                    tape.watch([before, below, parameters])
                    after = self._step(below, before, parameters, mask, time)
                d_before, d_below, d_now = tape.gradient(
                    after, (before, below, parameters), d_states, unconnected_gradients="zero"
                )
                if self.equations.merged:
                    both = tf.matmul(transposed[0], d_below[0])
                    d_input, d_output = both[:features], both[features:]
                else:
                    d_input, d_output = (
                        tf.matmul(w, d) for w, d in zip(transposed, d_below, strict=True)
                    )
                return (
                    time,
                    [d_before[0] + d_output, *d_before[1:]],
                    _write(d_inputs, time, d_input),
                    [_write(d, time, b) for d, b in zip(d_projections, d_below, strict=True)],
                    [d + now for d, now in zip(d_parameters, d_now, strict=True)],
                )

            zeros = tf.zeros_like(inputs), [tf.zeros_like(each) for each in projections]
            _, d_states, d_inputs, d_projections, d_parameters = _while(
                lambda time, *_: time > 0,
                body,
                [steps, d_final, *zeros, [tf.zeros_like(each) for each in parameters]],
            )
            return d_inputs, d_states, d_projections, d_parameters

        return tf.function(backward, jit_compile=True, reduce_retracing=True)


def _while(condition, body, variables: list):
    """`tf.while_loop` of variables whose static shapes may be known to different degrees."""
    shapes = tf.nest.map_structure(lambda x: tf.TensorShape([None] * x.shape.rank), variables)
    return tf.while_loop(condition, body, variables, shape_invariants=shapes)


def _features_first(sequence: tf.Tensor) -> tf.Tensor:
    """[time, features, batch] -> [features, time * batch]."""
    return tf.reshape(tf.transpose(sequence, [1, 0, 2]), [tf.shape(sequence)[1], -1])


def _read(sequence: tf.Tensor, time) -> tf.Tensor:
    """The [features, batch] of one step."""
    return sequence[time]


def _write(sequence: tf.Tensor, time, value: tf.Tensor) -> tf.Tensor:
    """`sequence` with the [features, batch] of one step replaced, in place once compiled."""
    return gen_xla_ops.xla_dynamic_update_slice(sequence, value[None], tf.stack([time, 0, 0]))
