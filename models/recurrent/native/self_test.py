"""Compares a newly compiled operator with the equations of its cells, in NumPy and float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from models.recurrent.native.build import NotBuiltError

# Sizes that are no multiples of a vector or a tile, and more texts than a tile has rows.
_BATCH, _STEPS, _FEATURES, _UNITS = 15, 4, 5, 19
_TOLERANCE = 1e-4
# Of results whose factors were rounded to bfloat16, relative to the norm.
_ROUNDED_TOLERANCE = 2e-2


def _s(x):
    return 1 / (1 + np.exp(-x))


def _simple_rnn(x, h, states, p):
    return [np.tanh(x + h)]


def _lstm(x, h, states, p):
    i, f, g, o = np.split(x + h, 4, axis=-1)
    c = _s(f) * states[1] + _s(i) * np.tanh(g)
    return [_s(o) * np.tanh(c), c]


def _peephole_lstm(x, h, states, p):
    i, f, g, o = np.split(x + h, 4, axis=-1)
    c = _s(f + p[1] * states[1]) * states[1] + _s(i + p[0] * states[1]) * np.tanh(g)
    return [_s(o + p[2] * c) * np.tanh(c), c]


def _coupled_lstm(x, h, states, p):
    f, g, o = np.split(x + h, 3, axis=-1)
    c = _s(f) * states[1] + (1 - _s(f)) * np.tanh(g)
    return [_s(o) * np.tanh(c), c]


def _gru(x, h, states, p):
    (z, r, g), (z_h, r_h, g_h) = np.split(x, 3, axis=-1), np.split(h, 3, axis=-1)
    z = _s(z + z_h)
    return [z * states[0] + (1 - z) * np.tanh(g + _s(r + r_h) * g_h)]


# Each cell's step, and how many gates, states and parameters it has.
_CELLS: dict[str, tuple[Callable, int, int, int]] = {
    "simple_rnn": (_simple_rnn, 1, 1, 0),
    "lstm": (_lstm, 4, 2, 0),
    "peephole_lstm": (_peephole_lstm, 4, 2, 3),
    "coupled_lstm": (_coupled_lstm, 3, 2, 0),
    "gru": (_gru, 3, 1, 0),
}


def check_operator(module: Any) -> None:
    """Runs every cell of a loaded library, masked and backwards, with its gradient, both again with
    factors in bfloat16, a step of it with rounded weights, and the sum of rows.

    Raises:
        NotBuiltError: a result differs from that of the equations.
    """
    for cell in _CELLS:
        _check_cell(module, cell)
        _check_rounded_step(module, cell)
    rows, values = np.arange(_BATCH) % 4, np.ones((_BATCH, _UNITS), np.float32)
    sums = module.suite_row_sums(rows=tf.constant(rows, tf.int64), values=values, size=5, threads=2)
    expected = np.bincount(rows, minlength=5)[:, None] * values[:1]
    _compare("sums", "of the rows of a gradient", sums, expected)


def _check_cell(module: Any, cell: str) -> None:
    _, gates, states, parameters = _CELLS[cell]
    generator = np.random.default_rng(0)
    shapes = [(_BATCH, _STEPS, _FEATURES), (_FEATURES, gates * _UNITS), (_UNITS, gates * _UNITS)]
    shapes += [(parameters * _UNITS,), (gates * _UNITS,), (gates * _UNITS,)]
    shapes += [(_BATCH, _UNITS)] * states
    arrays = [generator.normal(0, 0.5, shape) for shape in shapes]
    directions = [generator.normal(0, 1, shape) for shape in shapes]
    mask = generator.random((_BATCH, _STEPS)) < 0.7
    inputs, kernel, recurrent_kernel, weights, bias, recurrent_bias, *initial = [
        tf.constant(array, tf.float32) for array in arrays
    ]
    common = {
        **{"inputs": inputs, "kernel": kernel, "recurrent_kernel": recurrent_kernel},
        **{"parameters": weights, "mask": tf.constant(mask), "cell": cell, "reverse": True},
        **{"return_sequences": True, "zero_masked": False, "keep": True, "threads": 2},
    }

    def run(round_factors: bool) -> tuple[list, list]:
        outputs, kept, final = module.suite_recurrence(
            bias=bias,
            recurrent_bias=recurrent_bias,
            initial_states=initial,
            round_factors=round_factors,
            **common,
        )
        # The loss is the sum of the sines of all results.
        d_outputs, *d_final = [tf.cos(result) for result in (outputs, *final)]
        *d_weights, d_bias, d_recurrent_bias, d_initial = module.suite_recurrence_gradient(
            kept=kept,
            d_outputs=d_outputs,
            d_final_states=d_final,
            round_factors=round_factors,
            **common,
        )
        return [outputs, *final], [*d_weights, d_bias, d_recurrent_bias, *d_initial]

    results, gradient = run(round_factors=False)
    for one, other in zip(results, _run(cell, arrays, mask), strict=True):
        _compare("outputs", f"of {cell}", one, other)
    rounded_results, rounded_gradient = run(round_factors=True)
    pairs = zip(results + gradient, rounded_results + rounded_gradient, strict=True)
    for exact, rounded in pairs:
        if np.linalg.norm(rounded - exact) > _ROUNDED_TOLERANCE * np.linalg.norm(exact):
            raise NotBuiltError(f"its bfloat16 results of {cell} are wrong on this machine")

    # Along a direction the derivative is a difference of losses.
    for number, direction in enumerate(directions):
        losses = []
        for sign in (-1, 1):
            moved = list(arrays)
            moved[number] = arrays[number] + sign * 1e-4 * direction
            losses.append(sum(np.sin(result).sum() for result in _run(cell, moved, mask)))
        actual = np.sum(gradient[number].numpy().astype(np.float64) * direction)
        _compare("gradients", f"of {cell}", actual, (losses[1] - losses[0]) / 2e-4)


def _check_rounded_step(module: Any, cell: str) -> None:
    step, gates, states, parameters = _CELLS[cell]
    generator = np.random.default_rng(0)
    columns = gates * _UNITS
    kernels = [
        generator.integers(-127, 128, (rows, columns), np.int8) for rows in (_FEATURES, _UNITS)
    ]
    scales, bias, recurrent_bias, weights = (
        generator.normal(0, size, count).astype(np.float32)
        for size, count in [(0.005, columns), *[(0.5, columns)] * 2, (0.5, parameters * _UNITS)]
    )
    inputs, *before = (
        generator.normal(0, 0.5, (_BATCH, size)).astype(np.float32)
        for size in (_FEATURES, *[_UNITS] * states)
    )
    panels, panel_scales, biases = module.suite_rounded_weights(
        kernel=kernels[0],
        recurrent_kernel=kernels[1],
        scales=scales,
        bias=bias,
        recurrent_bias=recurrent_bias,
        cell=cell,
    )
    after = module.suite_rounded_step(
        inputs=inputs,
        panels=panels,
        panel_scales=panel_scales,
        biases=biases,
        parameters=weights,
        initial_states=before,
        cell=cell,
        threads=2,
    )
    exact = [kernel * scales.astype(np.float64) for kernel in kernels]
    projections = inputs @ exact[0] + bias, before[0] @ exact[1] + recurrent_bias
    expected = step(*projections, before, weights.reshape(-1, _UNITS))
    for one, other in zip(after, expected, strict=True):
        _compare("rounded steps", f"of {cell}", one, other)


def _compare(what: str, of: str, actual: Any, expected: Any) -> None:
    if not np.allclose(actual, expected, _TOLERANCE, _TOLERANCE):
        raise NotBuiltError(f"its {what} {of} are wrong on this machine")


def _run(cell: str, arrays: list[np.ndarray], mask: np.ndarray) -> list[np.ndarray]:
    """Returns the outputs and the final states of a loop that runs backwards."""
    step = _CELLS[cell][0]
    inputs, kernel, recurrent_kernel, weights, bias, recurrent_bias, *states = arrays
    parameters = weights.reshape(-1, _UNITS)
    outputs, seen = [], np.zeros((_BATCH, 1), bool)
    for time in reversed(range(_STEPS)):
        real = mask[:, time, None]
        new = step(
            inputs[:, time] @ kernel + bias,
            states[0] @ recurrent_kernel + recurrent_bias,
            states,
            parameters,
        )
        states = [np.where(real, n, old) for n, old in zip(new, states, strict=True)]
        seen = seen | real
        outputs.append(np.where(seen, states[0], 0.0))
    return [np.stack(outputs, axis=1), *states]
