"""The compiled loop of a cell over time, and its gradient; `models.recurrent.compiled_batch`
describes its form."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from data.graphs import graph
from models.recurrent.equations import Equations


@dataclass(frozen=True)
class Loop:
    """The compiled loop of one part of the batch.

    Its arrays are <float32>. `weights` are the kernels [features, gates * units] and
    [units, gates * units], one above the other if `equations.merged`, as many biases
    [gates * units, 1], and the parameters; `sequences` are the inputs [time, features, batch], the
    states [units, batch], and if `masked` the mask <bool>[time, 1, batch].

    Attributes:
        equations: those of the cell.
        num_states: how many states the cell has.
        num_parameters: how many parameters its equations take.
        masked: whether there is a mask.
        return_sequences: whether the outputs of all steps are wanted.
    """

    equations: Equations
    num_states: int
    num_parameters: int
    masked: bool
    return_sequences: bool

    def __call__(
        self, training: bool, steps: tf.Tensor, weights: list, sequences: list
    ) -> list[tf.Tensor]:
        """Runs the loop; must be called in a graph.

        Args:
            training: whether to keep what the gradient needs.
            steps: <int32>[], how many steps of the time are real.
            weights: as in the class.
            sequences: as in the class.

        Returns:
            The final states, and with `return_sequences` the outputs [time, units, batch].
        """

        @tf.custom_gradient
        def loop(steps, *arrays):
            final_states, kept = _hide(self._forward(training))(steps, *arrays)
            results = final_states + ([kept[0][1:]] if self.return_sequences else [])

            def gradient(*derivatives):
                keep = kept if training else _hide(self._forward(True))(steps, *arrays)[1]
                backward = _refuse_second_order(_hide(self._backward()))
                d_mask = [None] if self.masked else []
                return [None, *backward(steps, arrays, keep, derivatives), *d_mask]

            return results, gradient

        return loop(steps, *weights, *sequences)

    def _unpack(self, arrays: Sequence[tf.Tensor]) -> tuple:
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

    # A cache never frees its functions, but there are only as many as kinds of layers.
    @functools.cache  # noqa: B019
    def _forward(self, keep: bool) -> Callable:
        """Returns the compiled loop; it returns the final states and a list of what it kept.

        With `keep` it keeps the states of all steps, the initial ones first, and the arrays that
        the gradient of the cell needs; without, the outputs of all steps if they are wanted.
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
                sources = [_read(inputs, time), states[0]]
                if self.equations.merged:
                    sources = [tf.concat(sources, 0)]
                projections = [
                    tf.matmul(kernel, source) + bias
                    for kernel, source, bias in zip(kernels, sources, biases, strict=True)
                ]
                states, step_kept = self._step(projections, states, parameters, mask, time)
                # `histories` and `kept` may be shorter: not everything need be kept.
                histories = [_write(h, time + 1, s) for h, s in zip(histories, states)]  # noqa: B905
                kept = [_write(k, time, s) for k, s in zip(kept, step_kept)]  # noqa: B905
                return time + 1, states, histories, kept

            _, states, histories, kept = _while(
                lambda time, *_: time < steps, body, [tf.constant(0), states, histories, kept]
            )
            return states, histories + kept

        return graph(forward, jit_compile=True, reduce_retracing=True)

    @functools.cache  # noqa: B019
    def _backward(self) -> Callable:
        """Returns the compiled gradient; it returns the derivatives by all arrays but the mask.

        It is a loop over chunks of steps, from the last to the first. The derivatives by the
        kernels are one product a chunk: a single step has too few columns for an efficient product,
        and all steps together would pass through the memory once more.
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
                step_kept = [_read(array, time) for array in kept]
                d_after, d_skipped = d_states, []
                if self.masked:
                    real = _read(mask, time)
                    d_after = [tf.where(real, d, 0.0) for d in d_states]
                    d_skipped = [tf.where(real, 0.0, d) for d in d_states]
                d_before, d_projections, d_step = self.equations.gradient.backward(
                    step_kept, before, after, parameters, d_after
                )
                if self.masked:
                    d_before = [d + s for d, s in zip(d_before, d_skipped, strict=True)]
                products = [tf.matmul(k, d) for k, d in zip(kernels, d_projections, strict=True)]
                if self.equations.merged:
                    products = [products[0][:features], products[0][features:]]
                return (
                    time,
                    first,
                    [d_before[0] + products[1], *d_before[1:]],
                    _write(d_inputs, time, products[0]),
                    [
                        _write(c, time - first, d)
                        for c, d in zip(chunks, d_projections, strict=True)
                    ],
                    [total + d for total, d in zip(d_parameters, d_step, strict=True)],
                )

            def step_chunk(number, d_states, d_inputs, chunks, d_parameters, d_kernels, d_biases):
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
                sources = [_read_chunk(inputs, first, size), _read_chunk(histories[0], first, size)]
                if self.equations.merged:
                    sources = [tf.concat(sources, 0)]
                flat = [_features_first(chunk) for chunk in chunks]
                d_kernels = [
                    d + tf.matmul(s, f, transpose_b=True)
                    for d, f, s in zip(d_kernels, flat, sources, strict=True)
                ]
                d_biases = [
                    d + tf.reduce_sum(f, 1, keepdims=True)
                    for d, f in zip(d_biases, flat, strict=True)
                ]
                return number - 1, d_states, d_inputs, chunks, d_parameters, d_kernels, d_biases

            # The last chunk, which comes first, may be incomplete: its missing steps stay zero.
            chunks = [tf.zeros([size, tf.shape(kernel)[1], batch]) for kernel in kernels]
            _, d_states, d_inputs, _, d_parameters, *d_weights = _while(
                lambda number, *_: number > 0,
                step_chunk,
                [
                    -(-steps // size),
                    derivatives[: self.num_states],
                    tf.zeros_like(inputs),
                    chunks,
                    [tf.zeros_like(parameter) for parameter in parameters],
                    [tf.zeros_like(kernel) for kernel in kernels],
                    [tf.zeros_like(bias) for bias in weights[len(kernels) :]],
                ],
            )
            return [*d_weights[0], *d_weights[1], *d_parameters, d_inputs, *d_states]

        return graph(backward, jit_compile=True, reduce_retracing=True)


def _hide(function: Callable) -> Callable:
    """Hides a function from gradient tapes.

    A persistent tape asks every function for its gradient as soon as it is called; the compiled
    ones hold operations that have none, and `tf.custom_gradient` provides theirs.
    """

    def call(*tensors):
        results = function(*tf.nest.map_structure(tf.stop_gradient, tensors))
        return tf.nest.map_structure(tf.stop_gradient, results)

    return call


def _refuse_second_order(function: Callable) -> Callable:
    """Makes the gradient of a function of nested tensors fail, but only when it is computed."""

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


def _while(condition: Callable, body: Callable, variables: list) -> Any:
    """Runs `tf.while_loop` with variables whose static shapes may change."""
    shapes = tf.nest.map_structure(lambda x: tf.TensorShape([None] * x.shape.rank), variables)
    return tf.while_loop(condition, body, variables, shape_invariants=shapes)


def _features_first(sequence: tf.Tensor) -> tf.Tensor:
    """Reshapes [time, features, batch] to [features, time * batch]."""
    return tf.reshape(tf.transpose(sequence, [1, 0, 2]), [tf.shape(sequence)[1], -1])


def _chunk_size(batch: tf.Tensor) -> tf.Tensor:
    """Returns a divisor of all padded lengths that makes products of a few hundred columns."""
    return tf.gather([8, 4, 2, 1], tf.searchsorted([64, 128, 256], [batch])[0])


def _read_chunk(sequence: tf.Tensor, first: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Returns the chunk that begins with step `first`, [features, steps * batch]."""
    _, features, batch = tf.unstack(tf.shape(sequence))
    return _features_first(tf.slice(sequence, [first, 0, 0], [size, features, batch]))


def _read(sequence: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """Returns one step, [features, batch]."""
    return sequence[time]


def _write(sequence: tf.Tensor, time: Any, value: tf.Tensor) -> tf.Tensor:
    """Replaces one step, [features, batch]; once compiled, it does so in place."""
    return gen_xla_ops.xla_dynamic_update_slice(sequence, value[None], tf.stack([time, 0, 0]))
