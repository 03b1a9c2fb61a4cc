"""One step of a recurrent layer with weights of eight bits, for loops that generate.

A step of one text reads all weights for one product each: its time is that of reading them, and
whole numbers of eight bits are a quarter of the bytes. Only weights are rounded; inputs, states and
sums are floating-point numbers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from models.recurrent.native import operator

# The largest whole number of eight bits.
_MOST = 127


class RoundedStep:
    """One step of a cell of the native operator, which must be available.

    Args:
        cell: the name that the operator has for it.
        kernel: <float32>[features, gates * units].
        recurrent_kernel: <float32>[units, gates * units].
        biases: of the two projections, <float32>[gates * units] each; None for a missing one.
        parameters: further weights of the cell, <float32>[units] each.
    """

    def __init__(
        self,
        cell: str,
        kernel: Any,
        recurrent_kernel: Any,
        biases: Sequence[Any],
        parameters: Sequence[Any],
    ) -> None:
        (kernel, recurrent_kernel), scales = round_columns([kernel, recurrent_kernel])
        self._cell = cell
        # A graph that takes the step refers to them.
        with tf.init_scope(), tf.device("CPU:0"):
            wanted = [np.zeros_like(scales) if b is None else _to_floats(b) for b in biases]
            self._packed = operator.pack_rounded(cell, kernel, recurrent_kernel, scales, *wanted)
            rows = [_to_floats(parameter) for parameter in parameters]
            self._parameters = tf.constant(np.concatenate([np.zeros(0, np.float32), *rows]))

    def __call__(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Takes the step.

        Args:
            inputs: <float>[batch, features].
            states: <float>[batch, units] each.

        Returns:
            The states after it, of the dtype of the inputs; the first is the output.
        """
        exact = [tf.cast(each, tf.float32) for each in (inputs, *states)]
        new = operator.rounded_step(self._cell, exact[0], self._packed, self._parameters, exact[1:])
        return [tf.cast(state, inputs.dtype) for state in new]


def round_columns(matrices: Sequence[Any]) -> tuple[list[np.ndarray], np.ndarray]:
    """Rounds matrices that are multiplied by inputs and summed.

    Args:
        matrices: <float>[rows, columns], any number of rows.

    Returns:
        Whole numbers <int8>[rows, columns] and the scales <float32>[columns], one for each column
        of all matrices together, which make them what they were: `whole * scale`.
    """
    exact = [_to_floats(matrix) for matrix in matrices]
    largest = np.max(np.abs(np.concatenate(exact)), axis=0)
    scales = np.where(largest > 0, largest / _MOST, 1.0).astype(np.float32)
    return [np.rint(matrix / scales).astype(np.int8) for matrix in exact], scales


def round_weights(cell: Any) -> None:
    """Replaces the kernels of a cell by their rounded values, to see what the rounding costs.

    Args:
        cell: of Keras or of `models.recurrent.cells`.
    """
    kernels = [cell.kernel, cell.recurrent_kernel]
    rounded, scales = round_columns(kernels)
    for kernel, whole in zip(kernels, rounded, strict=True):
        kernel.assign(whole * scales)


def _to_floats(x: Any) -> np.ndarray:
    return np.asarray(x, np.float32)
