"""The compiled loop of a cell over time, and its gradient; `models.recurrent.compiled_batch`
describes its form."""

import functools
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from data.graphs import graph
from models.recurrent.equations import Equations


@dataclass(frozen=True)
class Loop:
    """The compiled loop of one part of the batch.

    Its arrays, all <float32>: `weights` are the kernels [features, gates * units] and [units, gates
    * units], one above the other if merged, as many biases [gates * units, 1], and the parameters;
    `sequences` are inputs [time, features, batch], states [units, batch], and with a mask
    <bool>[time, 1, batch].
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
                backward = _second_order_refused(_opaque(self._backward()))
                d_mask = [None] if self.masked else []
                return [None, *backward(steps, arrays, keep, derivatives), *d_mask]

            return results, gradient

        return loop(steps, *weights, *sequences)

    def _unpack(self, arrays):
        split = 2 if self.equations.merged else 4
        weights, arrays = list(arrays[:split]), arrays[split:]
        parameters, arrays = list(arrays[: self.num_parameters]), arrays[self.num_parameters :]
        inputs, states = arrays[0], list(arrays[1 : 1 + self.num_states])
        return weights, parameters, inputs, states, arrays[-1]

    def _step(self, projections, states, parameters, mask, time):
        new, kept = self.equations.gradient.forward(projections, states, parameters)
        if self.masked:
            real = _read(mask, time)
            new = [tf.where(real, n, old) for n, old in zip(new, states, strict=True)]
        return new, kept

    # The caches keep their functions for good: there are as many as kinds of layers.
    @functools.cache  # noqa: B019
    def _forward(self, keep: bool):
        """Compiled: the final states, and what is kept.

        With `keep` the states of all steps, the initial ones first, then what the cell's gradient
        keeps; without, the outputs of all steps if they are wanted.
        """

        def forward(steps, *arrays):
            weights, parameters, inputs, states, mask = self._unpack(arrays)
            kernels = [tf.transpose(kernel) for kernel in weights[: len(weights) // 2]]
            biases = weights[len(kernels) :]
            length, batch = tf.shape(inputs)[0], tf.shape(inputs)[2]
            units = tf.shape(states[0])[0]
            kept_states = self.num_states if keep else int(self.return_sequences)
            histories = [
                _write(tf.zeros([length + 1, units, batch]), 0, state)
                for state in states[:kept_states]
            ]
            heights = self.equations.gradient.heights if keep else ()
            kept = [tf.zeros([length, height * units, batch]) for height in heights]

            def body(time, states, histories, kept):
                below = _read(inputs, time)
                if self.equations.merged:
                    below = [tf.matmul(kernels[0], tf.concat([below, states[0]], 0)) + biases[0]]
                else:
                    below = [
                        tf.matmul(kernels[0], below) + biases[0],
                        tf.matmul(kernels[1], states[0]) + biases[1],
                    ]
                states, now = self._step(below, states, parameters, mask, time)
                # Lists of two lengths: nothing may be kept.
                histories = [_write(h, time + 1, s) for h, s in zip(histories, states)]  # noqa: B905
                kept = [_write(k, time, n) for k, n in zip(kept, now)]  # noqa: B905
                return time + 1, states, histories, kept

            _, states, histories, kept = _while(
                lambda time, *_: time < steps, body, [tf.constant(0), states, histories, kept]
            )
            return states, histories + kept

        return graph(forward, jit_compile=True, reduce_retracing=True)

    @functools.cache  # noqa: B019
    def _backward(self):
        """Compiled: derivatives of every array but the mask, in order.

        A loop over chunks of steps, the last ones first. What belongs to the weights is collected
        over a chunk and becomes one product: single steps have too few columns for a good one, and
        all steps together would pass through the memory once more.
        """

        def backward(steps, arrays, kept, derivatives):
            weights, parameters, inputs, _, mask = self._unpack(arrays)
            histories, kept = kept[: self.num_states], kept[self.num_states :]
            kernels = weights[: len(weights) // 2]
            features, batch = tf.shape(inputs)[1], tf.shape(inputs)[2]
            size = _chunk_size(batch)

            def step(time, first, d_states, d_inputs, chunks, d_parameters):
                time = time - 1
                if self.return_sequences:
                    d_states = [d_states[0] + _read(derivatives[-1], time), *d_states[1:]]
                before = [_read(history, time) for history in histories]
                after = [_read(history, time + 1) for history in histories]
                now = [_read(each, time) for each in kept]
                d_after, skipped = d_states, None
                if self.masked:
                    real = _read(mask, time)
                    d_after = [tf.where(real, d, 0.0) for d in d_states]
                    skipped = [tf.where(real, 0.0, d) for d in d_states]
                d_before, d_below, d_now = self.equations.gradient.backward(
                    now, before, after, parameters, d_after
                )
                if self.masked:
                    d_before = [d + s for d, s in zip(d_before, skipped, strict=True)]
                products = [tf.matmul(k, d) for k, d in zip(kernels, d_below, strict=True)]
                if self.equations.merged:
                    products = [products[0][:features], products[0][features:]]
                return (
                    time,
                    first,
                    [d_before[0] + products[1], *d_before[1:]],
                    _write(d_inputs, time, products[0]),
                    [_write(c, time - first, d) for c, d in zip(chunks, d_below, strict=True)],
                    [d + now for d, now in zip(d_parameters, d_now, strict=True)],
                )

            def chunk(number, d_states, d_inputs, chunks, d_parameters, d_kernels, d_biases):
                first = (number - 1) * size
                _, _, d_states, d_inputs, chunks, d_parameters = _while(
                    lambda time, first, *_: time > first,
                    step,
                    [
                        tf.minimum(first + size, steps),
                        first,
                        d_states,
                        d_inputs,
                        chunks,
                        d_parameters,
                    ],
                )
                behind = [_chunk_of(inputs, first, size), _chunk_of(histories[0], first, size)]
                if self.equations.merged:
                    behind = [tf.concat(behind, 0)]
                flat = [_features_first(each) for each in chunks]
                d_kernels = [
                    d + tf.matmul(b, f, transpose_b=True)
                    for d, f, b in zip(d_kernels, flat, behind, strict=True)
                ]
                d_biases = [
                    d + tf.reduce_sum(f, 1, keepdims=True)
                    for d, f in zip(d_biases, flat, strict=True)
                ]
                return number - 1, d_states, d_inputs, chunks, d_parameters, d_kernels, d_biases

            # The chunk that is met first may end before its last step: there it stays zero.
            chunks = [tf.zeros([size, tf.shape(kernel)[1], batch]) for kernel in kernels]
            _, d_states, d_inputs, _, d_parameters, *d_weights = _while(
                lambda number, *_: number > 0,
                chunk,
                [
                    -(-steps // size),
                    derivatives[: self.num_states],
                    tf.zeros_like(inputs),
                    chunks,
                    [tf.zeros_like(each) for each in parameters],
                    [tf.zeros_like(each) for each in kernels],
                    [tf.zeros_like(each) for each in weights[len(kernels) :]],
                ],
            )
            return [*d_weights[0], *d_weights[1], *d_parameters, d_inputs, *d_states]

        return graph(backward, jit_compile=True, reduce_retracing=True)


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


def _chunk_size(batch: tf.Tensor) -> tf.Tensor:
    """A divisor of every padded length that makes products of some hundred columns."""
    return tf.gather([8, 4, 2, 1], tf.searchsorted([64, 128, 256], [batch])[0])


def _chunk_of(sequence: tf.Tensor, first, size) -> tf.Tensor:
    """The [features, steps * batch] of the chunk that begins with step `first`."""
    _, features, batch = tf.unstack(tf.shape(sequence))
    return _features_first(tf.slice(sequence, [first, 0, 0], [size, features, batch]))


def _read(sequence: tf.Tensor, time) -> tf.Tensor:
    """The [features, batch] of one step."""
    return sequence[time]


def _write(sequence: tf.Tensor, time, value: tf.Tensor) -> tf.Tensor:
    """`sequence` with the [features, batch] of one step replaced, in place once compiled."""
    return gen_xla_ops.xla_dynamic_update_slice(sequence, value[None], tf.stack([time, 0, 0]))
