"""The compiled loop of a cell over time, and its gradient; `models.recurrence` tells its form."""

import functools
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from models.equations import Equations


@dataclass(frozen=True)
class Loop:
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
        """The final states, and with `return_sequences` the outputs [time, units, batch].

        To be called in a graph; `training` says whether to keep what the gradient needs.
        """

        @tf.custom_gradient
        def loop(steps, *arrays):
            final, kept = _opaque(self._forward(training))(steps, *arrays)
            results = final + ([kept[0][1:]] if self.return_sequences else [])

            def gradient(*derivatives):
                keep = kept if training else _opaque(self._forward(True))(steps, *arrays)[1]
                backward = _second_order_refused(functools.partial(self._gradient, steps))
                d_mask = [None] if self.masked else []
                return [None, *backward(arrays, keep, derivatives), *d_mask]

            return results, gradient

        return loop(steps, *weights, *sequences)

    @property
    def _num_weights(self) -> int:
        return (2 if self.equations.merged else 4) + self.num_parameters

    def _gradient(self, steps, arrays: tuple, kept: list, derivatives: tuple) -> list:
        """Of every array but the mask, in order."""
        inputs = arrays[self._num_weights]
        d_inputs, d_states, d_projections, d_parameters = _opaque(self._backward())(
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
        return [*d_kernels, *d_biases, *d_parameters, d_inputs, *d_states]

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

    # The caches keep their functions for good: there are as many as kinds of layers.
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


def _opaque(function):
    """`function` that no tape follows, neither in by its arguments nor back by its results.

    A tape that keeps more than one gradient asks every function for its own as it is called; the
    compiled ones hold operations without one, and their gradient is told elsewhere.
    """

    def call(*tensors):
        results = function(*tf.nest.map_structure(tf.stop_gradient, tensors))
        return tf.nest.map_structure(tf.stop_gradient, results)

    return call


def _second_order_refused(function):
    """`function` of nested tensors, whose own gradient fails when it is computed, not before."""

    def call(*arguments):
        @tf.custom_gradient
        def opaque(*flat):
            results = function(*tf.nest.pack_sequence_as(arguments, flat))

            def refuse(*_):
                message = "The compiled loop has no second derivative. Use stock_operations()."
                with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
                    return [tf.zeros_like(tensor) for tensor in flat]

            return results, refuse

        return opaque(*tf.nest.flatten(arguments))

    return call


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
