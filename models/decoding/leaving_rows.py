"""Loops over the rows of a batch, which leave it when they have finished.

Rows of one batch end at different steps: where the longest translation has 35 tokens and the mean
has 16, more than half of all work would be for rows that have ended.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Any nest of tensors whose first axis is the rows.
Rows = Any
# The batch is made smaller when no more than this share of its rows is still running: a copy of
# what is left costs about as much as a step.
_SHARE = 0.75


def run_rows(
    advance: Callable[[tf.Tensor, Rows], Rows],
    is_running: Callable[[Rows], tf.Tensor],
    result: Callable[[tf.Tensor, Rows], Any],
    rows: Rows,
    max_steps: tf.Tensor,
    leaving: bool,
) -> Any:
    """Advances rows step by step until none is running.

    Args:
        advance: takes the number of the step, <int32>[], and the rows, and returns the rows after
            the step, in their order; it must not read how many there are but from their shapes.
        is_running: returns <bool>[rows]; a row that has finished never runs again.
        result: takes the number of steps that were taken and the rows, and returns a nest of
            tensors [rows, ...]; those of a finished row do not change if it goes on.
        rows: a nest of tensors, [rows, ...].
        max_steps: <int32>[], the most steps.
        leaving: whether rows that have finished leave the batch. What is compiled for each shape
            should keep them.

    Returns:
        The results of all rows, in the order of `rows`.
    """
    if not leaving:
        now, rows = _run(
            lambda rows: tf.reduce_any(is_running(rows)), advance, rows, tf.constant(0), max_steps
        )
        return result(now, rows)

    def many_run(rows: Rows) -> tf.Tensor:
        running = tf.cast(is_running(rows), tf.float32)
        # Not the mean: of no rows it is not a number.
        return tf.reduce_sum(running) > _SHARE * tf.cast(tf.size(running), tf.float32)

    def more(now: tf.Tensor, places: tf.Tensor, *_: Any) -> tf.Tensor:
        return (now < max_steps) & (tf.size(places) > 0)

    def run_and_leave(
        now: tf.Tensor, places: tf.Tensor, rows: Rows, results: Any
    ) -> tuple[tf.Tensor, tf.Tensor, Rows, Any]:
        now, rows = _run(many_run, advance, rows, now, max_steps)
        running = is_running(rows)
        # At the last step all that run are over, too.
        leave = ~running | (now >= max_steps)
        results = tf.nest.map_structure(
            lambda whole, part: tf.tensor_scatter_nd_update(
                whole, tf.boolean_mask(places, leave)[:, None], tf.boolean_mask(part, leave)
            ),
            results,
            result(now, rows),
        )
        stay = tf.where(~leave)[:, 0]
        rows = tf.nest.map_structure(lambda x: tf.gather(x, stay), rows)
        return now, tf.gather(places, stay), rows, results

    now = tf.constant(0)
    # Each row leaves once: nothing of these first results is left at the end.
    results = result(now, rows)
    places = tf.range(tf.shape(tf.nest.flatten(rows)[0])[0])
    shapes = [now.shape, tf.TensorShape([None]), _any_rows(rows), _shapes(results)]
    *_, results = tf.while_loop(more, run_and_leave, [now, places, rows, results], shapes)
    return results


def _run(
    go_on: Callable[[Rows], tf.Tensor],
    advance: Callable[[tf.Tensor, Rows], Rows],
    rows: Rows,
    now: tf.Tensor,
    max_steps: tf.Tensor,
) -> tuple[tf.Tensor, Rows]:
    """Advances rows from the step `now` while `go_on` holds; returns the next step, the rows."""

    def step(now: tf.Tensor, rows: Rows) -> tuple[tf.Tensor, Rows]:
        after = advance(now, rows)
        # There are as many as before, also where `advance` does not see how many.
        for new, old in zip(tf.nest.flatten(after), tf.nest.flatten(rows), strict=True):
            new.set_shape(old.shape)
        return now + 1, after

    now, rows = tf.while_loop(
        lambda now, rows: (now < max_steps) & go_on(rows),
        step,
        [now, rows],
        [now.shape, _shapes(rows)],
    )
    return now, rows


def _shapes(tensors: Any) -> Any:
    return tf.nest.map_structure(lambda x: x.shape, tensors)


def _any_rows(tensors: Rows) -> Any:
    """Returns the shapes with any number of rows."""
    return tf.nest.map_structure(lambda x: tf.TensorShape([None, *x.shape[1:]]), tensors)
