"""Runs a cell over a batch of sequences on a CPU, in compiled loops
(`models.recurrent.compiled_loop`).

Keras runs a recurrent layer as a general loop of small TensorFlow operations, each of which
TensorFlow records for the gradient. `run` does the same arithmetic in another form:

- All arrays have the time first and the batch last: `[time, features, batch]`. What a step
  reads and writes is one block of memory, and `R^T h` needs no transposition.
- The loop and its gradient are two functions that XLA compiles. The forward loop keeps the states
  and the activated gates, of which the backward loop has the derivatives without a second product
  or tanh (`models.recurrent.step_gradients`); the gradients of the kernels are products over chunks
  of steps, formed while what they need is still in the cache.
- The batch is cut into as many parts as there are cores, each with a loop of its own: at these
  sizes two cores that never wait for each other are faster than two that share each product.
- XLA compiles for each shape, so time is padded up to a few lengths and the batch to multiples of
  eight a part. The loop still ends with the last real step: padding costs memory, hardly products.
"""

import os

import tensorflow as tf

from models.compilation import layers_side_by_side, missing_to_bucket, pad_rows
from models.recurrent.compiled_loop import Loop
from models.recurrent.equations import Equations

# With more parts, each would have too few columns for a product to be worth its overhead.
_PARTS = min(4, len(os.sched_getaffinity(0)))
_COLUMNS = 8


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
        equations: those of the cell.
        inputs: <float32>[batch, time, features].
        kernel: <float32>[features, gates * units].
        recurrent_kernel: <float32>[units, gates * units].
        bias: of the first projection, <float32>[gates * units].
        recurrent_bias: of the second projection, <float32>[gates * units].
        parameters: further weights of the cell, <float32>[any].
        states: the initial states, <float32>[batch, units] each.
        mask: <bool>[batch, time], false where a step leaves the states as they are; or None.
        return_sequences: whether the outputs of all steps are wanted.
        training: whether a gradient will be computed. Without it, a gradient costs a second
            forward loop.

    Returns:
        The last output <float32>[batch, units], all outputs <float32>[batch, time, units] or None,
        and the final states.
    """
    batch, steps = tf.shape(inputs)[0], tf.shape(inputs)[1]
    parts = max(1, _PARTS // layers_side_by_side())
    padding = missing_to_bucket(steps)
    missing = _round_up(batch, parts * _COLUMNS) - batch

    # The batch is split first: its rows are contiguous, so that a part needs no copy.
    rows = [inputs, *states] if mask is None else [inputs, *states, mask]
    input_parts, *others = [tf.split(tensor, parts) for tensor in pad_rows(rows, missing)]
    state_parts, mask_parts = others[: len(states)], others[len(states) :]
    # [batch, time, features] -> [time, features, batch]
    sequences = [tf.transpose(part, [1, 2, 0]) for part in input_parts]
    sequences += [tf.transpose(part)[:, None, :] for split in mask_parts for part in split]
    sequences = pad_rows(sequences, padding)
    arguments = [sequences[:parts]]
    arguments += [[tf.transpose(part) for part in split] for split in state_parts]
    if mask is not None:
        arguments.append(sequences[parts:])
    kernels, biases = [kernel, recurrent_kernel], [bias[:, None], recurrent_bias[:, None]]
    if equations.merged:
        kernels, biases = [tf.concat(kernels, axis=0)], [tf.add_n(biases)]
    weights = [*kernels, *biases, *(parameter[:, None] for parameter in parameters)]
    loop = Loop(equations, len(states), len(parameters), mask is not None, return_sequences)
    results = [loop(training, steps, weights, list(part)) for part in zip(*arguments, strict=True)]
    units = recurrent_kernel.shape[0]
    # Compiled functions return tensors without a static shape, which the next layers need.
    final_states = []
    for state_of_parts in list(zip(*results, strict=True))[: len(states)]:
        state = tf.concat([tf.transpose(part) for part in state_of_parts], axis=0)[:batch]
        final_states.append(tf.ensure_shape(state, [inputs.shape[0], units]))
    outputs = None
    if return_sequences:
        output_parts = [tf.transpose(result[-1][:steps], [2, 0, 1]) for result in results]
        outputs = tf.concat(output_parts, axis=0)[:batch]
        outputs = tf.ensure_shape(outputs, [*inputs.shape[:2], units])
    return final_states[0], outputs, final_states


def _round_up(number: tf.Tensor, multiple: int) -> tf.Tensor:
    return -(-number // multiple) * multiple
