"""The native operators as layers and optimizers use them: whether there are any, their calls, and
the gradient of a recurrence."""

import functools
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from data.messages import say
from models.compilation import layers_side_by_side
from models.recurrent.native.build import build
from models.recurrent.native.self_test import check_operator

# Set to 0, it switches the operator off.
SWITCH = "RECURRENT_TEXT_SUITE_NATIVE"
_CORES = len(os.sched_getaffinity(0))
# With more, a thread would have too few rows of a batch to be worth its start.
_MOST_THREADS = 16
_ATTRIBUTES = ("cell", "reverse", "return_sequences", "zero_masked", "round_factors", "threads")
_lock = threading.Lock()


def is_available(training: bool = False) -> bool:
    """Returns whether there is a native operator; the first call may compile it, which takes some
    ten seconds.

    Args:
        training: whether to say why there is none, if that was not said yet.
    """
    reason = why_missing()
    if reason and training and not _is_switched_off():
        _say_once(reason)
    return not reason


def why_missing() -> str:
    """Returns why there is no native operator, or the empty text if there is one; the first call
    may compile it."""
    if _is_switched_off():
        return f"{SWITCH} is 0"
    with _lock:
        return _load()[1]


def _is_switched_off() -> bool:
    return os.environ.get(SWITCH, "1") == "0"


@functools.cache
def _load() -> tuple[Any, str]:
    """Returns the module of the operators, or None and why there is none."""
    tested: list = []

    def test(library: Path) -> None:
        # A library is loaded once: under its later name it would register nothing.
        tested.append(tf.load_op_library(str(library)))
        check_operator(tested[0])

    try:
        # What calls may be in the middle of a graph.
        with tf.init_scope(), tf.device("CPU:0"):
            library = build(test)
            return (tested[0] if tested else tf.load_op_library(str(library))), ""
    # Whatever it is, layers run without the operator.
    except Exception as error:
        return None, " ".join(str(error).split()) or type(error).__name__


def _module() -> Any:
    return _load()[0]


@functools.cache
def _say_once(reason: str) -> None:
    say(f"Recurrent layers run without the native operator, more slowly: {reason}")


def run(
    cell: str,
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    recurrent_bias: tf.Tensor,
    parameters: list[tf.Tensor],
    states: list[tf.Tensor],
    mask: tf.Tensor | None,
    return_sequences: bool,
    reverse: bool,
    zero_masked: bool,
    round_factors: bool,
    training: bool,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs a cell over a batch of sequences; `is_available` must have said that it can.

    Args:
        cell: the name that the operator has for it.
        inputs: <float32>[batch, time, features].
        kernel: <float32>[features, gates * units].
        recurrent_kernel: <float32>[units, gates * units].
        bias: of the first projection, <float32>[gates * units].
        recurrent_bias: of the second projection, <float32>[gates * units].
        parameters: further weights of the cell, <float32>[units] each.
        states: the initial states, <float32>[batch, units] each.
        mask: <bool>[batch, time], false where a step leaves the states as they are; or None.
        return_sequences: whether the outputs of all steps are wanted.
        reverse: whether the loop begins with the last step; outputs are in its order.
        zero_masked: whether a masked step has outputs of zero; else it repeats those before it,
            zeros before the first real step.
        round_factors: whether inputs, outputs, kernels and derivatives may be rounded to bfloat16
            before they are multiplied, as where the processor has instructions for such products
            (AVX512-BF16). Sums and states stay float32.
        training: whether a gradient will be computed. Without it, a gradient costs a second
            forward loop.

    Returns:
        The outputs <float32>[batch, time, units], or the last one <float32>[batch, units], and the
        final states.
    """
    outputs, _, final_states = _module().suite_recurrence(
        inputs=inputs,
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        parameters=tf.concat(parameters, 0) if parameters else tf.zeros([0]),
        mask=tf.zeros([0, 0], tf.bool) if mask is None else mask,
        bias=bias,
        recurrent_bias=recurrent_bias,
        initial_states=states,
        cell=cell,
        reverse=reverse,
        return_sequences=return_sequences,
        zero_masked=zero_masked,
        round_factors=round_factors,
        keep=training,
        threads=_threads(),
    )
    units = recurrent_kernel.shape[0]
    shape = inputs.shape[:2] if return_sequences else inputs.shape[:1]
    outputs.set_shape([*shape, units])
    for state in final_states:
        state.set_shape([inputs.shape[0], units])
    return outputs, final_states


def pack_rounded(
    cell: str,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    scales: tf.Tensor,
    bias: tf.Tensor,
    recurrent_bias: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Writes rounded weights as `rounded_step` reads them; `is_available` must have said that it
    can.

    Args:
        cell: the name that the operator has for it.
        kernel: <int8>[features, gates * units].
        recurrent_kernel: <int8>[units, gates * units].
        scales: of the columns of both, <float32>[gates * units].
        bias: of the first projection, <float32>[gates * units].
        recurrent_bias: of the second projection, <float32>[gates * units].

    Returns:
        The weights <int8>[count], their scales and the biases <float32>[columns], in an order that
        depends on the processor.
    """
    return _module().suite_rounded_weights(
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        scales=scales,
        bias=bias,
        recurrent_bias=recurrent_bias,
        cell=cell,
    )


def rounded_step(
    cell: str, inputs: tf.Tensor, packed: Sequence[tf.Tensor], parameters: Any, states: list
) -> list[tf.Tensor]:
    """Takes one step with rounded weights; it has no gradient.

    Args:
        cell: the name that the operator has for it.
        inputs: <float32>[batch, features].
        packed: what `pack_rounded` returned.
        parameters: further weights of the cell in a row, <float32>[parameters * units].
        states: <float32>[batch, units] each.

    Returns:
        The states after the step, of which the first is the output.
    """
    new = _module().suite_rounded_step(
        inputs=inputs,
        panels=packed[0],
        panel_scales=packed[1],
        biases=packed[2],
        parameters=parameters,
        initial_states=states,
        cell=cell,
        threads=_threads(),
    )
    for state, old in zip(new, states, strict=True):
        state.set_shape(old.shape)
    return new


def sum_rows(rows: tf.Tensor, values: tf.Tensor, size: int) -> tf.Tensor:
    """Sums the rows of a sparse gradient; `is_available` must have said that it can.

    Args:
        rows: <int>[count], in any order, any number of times.
        values: <float32>[count, features].
        size: of the matrix.

    Returns:
        <float32>[size, features], zero where there is no row.
    """
    sums = _module().suite_row_sums(
        rows=tf.cast(rows, tf.int64), values=values, size=size, threads=_threads()
    )
    sums.set_shape([size, values.shape[1]])
    return sums


def _threads() -> int:
    """How many threads a loop may have: results do not depend on it."""
    allowed = tf.config.threading.get_intra_op_parallelism_threads() or _CORES
    return max(1, min(allowed, _CORES, _MOST_THREADS) // layers_side_by_side())


@tf.RegisterGradient("SuiteRecurrence")
def _gradient(op: tf.Operation, d_outputs: tf.Tensor, _: Any, *d_states: tf.Tensor) -> list:
    module = _module()
    inputs, kernel, recurrent_kernel, parameters, mask, bias, recurrent_bias, *states = op.inputs
    attributes = {name: op.get_attr(name) for name in _ATTRIBUTES}
    kept = op.outputs[1]
    if not op.get_attr("keep"):
        kept = module.suite_recurrence(
            inputs=inputs,
            kernel=kernel,
            recurrent_kernel=recurrent_kernel,
            parameters=parameters,
            mask=mask,
            bias=bias,
            recurrent_bias=recurrent_bias,
            initial_states=states,
            keep=True,
            **attributes,
        )[1]
    results = module.suite_recurrence_gradient(
        inputs=inputs,
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        parameters=parameters,
        mask=mask,
        kept=kept,
        d_outputs=d_outputs,
        d_final_states=d_states,
        keep=True,
        **attributes,
    )
    *of_weights, d_bias, d_recurrent_bias, d_initial = results
    return [*of_weights, None, d_bias, d_recurrent_bias, *d_initial]


@tf.RegisterGradient("SuiteRecurrenceGradient")
def _refuse_second_order(op: tf.Operation, *_: Any) -> list:
    # A persistent tape asks for this gradient, too: it fails only where it is computed.
    message = "The native operator has no second derivative. Use stock_operations()."
    with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
        return [tf.zeros_like(x) if x.dtype.is_floating else None for x in op.inputs]
