"""Generating token after token in one graph: a `tf.while_loop` that carries the model's state."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from data.text.special_tokens import PADDING
from models.decoding.constraints import Constraints
from models.decoding.sampling import Choose, uniform_streams

# Any nest of tensors whose first axis is rows.
State = Any
# step(token_ids <int32>[rows], state) -> logits <float32>[rows, vocabulary_size], the new state
Step = Callable[[tf.Tensor, State], tuple[tf.Tensor, State]]
# stopped(ids <int32>[rows, max_length], PADDING after the last one; lengths <int32>[rows])
# -> <bool>[rows]
Stopped = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Decoded(NamedTuple):
    """What was generated.

    Attributes:
        ids: <int32>[rows, max_length], the end token included, `PADDING` after it.
        lengths: <int32>[rows], ids before the padding.
        log_probabilities: <float32>[rows], of the ids by the model, without temperature, truncation
            and constraints; the end token's included.
    """

    ids: tf.Tensor
    lengths: tf.Tensor
    log_probabilities: tf.Tensor


def decode(
    step: Step,
    logits: tf.Tensor,
    state: State,
    *,
    max_length: int | tf.Tensor,
    choose: Choose,
    end_id: int | tf.Tensor,
    seed: int | tf.Tensor = 0,
    previous_ids: tf.Tensor | None = None,
    constraints: Constraints | None = None,
    stopped: Stopped | None = None,
) -> Decoded:
    """Generates until every row has ended.

    Args:
        step: one step of the model.
        logits: <float32>[rows, vocabulary_size], those that follow the prompts; the last size is
            known.
        state: the model's after the prompts.
        max_length: the most ids of a row.
        choose: such as `models.decoding.sampling.greedy` or a `Sampling`.
        end_id: ends a row; -1 if nothing does.
        seed: as `models.decoding.sampling.uniform_streams`. A row's sample depends on its stream
        alone, not
            on the batch or on `max_length`.
        previous_ids: <int32>[rows, length], the prompts, for constraints; `PADDING` on either side.
        constraints: on what is chosen; those of `Constraints()` if None.
        stopped: called after each step; rows where it is true end there.
    """
    constraints = constraints or Constraints()
    max_length = tf.convert_to_tensor(max_length, tf.int32)
    rows = tf.shape(logits)[0]
    before = previous(previous_ids, rows)
    first = tf.shape(before)[1]
    numbers = uniform_streams(seed, rows, max_length)

    def more(now, history, ended, *_):
        return (now < max_length) & ~tf.reduce_all(ended)

    def body(now, history, ended, lengths, total, logits, state):
        allowed = constraints(logits, history, first, now, end_id)
        chosen = tf.where(ended, PADDING, choose(allowed, numbers[now]))
        # Nothing else is chosen where everything is banned.
        ended |= chosen == PADDING
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(chosen, logits)
        total -= tf.where(ended, 0.0, loss)
        lengths += tf.cast(~ended, tf.int32)
        history = written(history, first + now, chosen)
        ended |= chosen == end_id
        if stopped is not None:
            ended |= stopped(history[:, first:], lengths)
        return now + 1, history, ended, lengths, total, *stepped(step, chosen, logits, state)

    history = tf.pad(before, [[0, 0], [0, max_length]])
    history.set_shape([logits.shape[0], None])
    found = tf.while_loop(
        more,
        body,
        [
            tf.constant(0),
            history,
            tf.zeros_like(logits[:, 0], tf.bool),
            tf.zeros_like(logits[:, 0], tf.int32),
            tf.zeros_like(logits[:, 0], tf.float32),
            tf.cast(logits, tf.float32),
            state,
        ],
    )
    _, history, _, lengths, total, *_ = found
    return Decoded(history[:, first:], lengths, total)


def stepped(step: Step, chosen: tf.Tensor, logits: tf.Tensor, state: State):
    """The logits and the state after a step, with the static shapes of those before it, which is
    what a loop wants."""

    def like(new, old):
        new = tf.convert_to_tensor(new)
        new.set_shape(old.shape)
        return new

    new_logits, new_state = step(chosen, state)
    new_logits = like(tf.cast(new_logits, tf.float32), logits)
    tf.nest.assert_same_structure(state, new_state)
    return new_logits, tf.nest.map_structure(like, new_state, state)


def previous(ids: tf.Tensor | None, rows: tf.Tensor) -> tf.Tensor:
    """<int32>[rows, length], `PADDING` moved before the ids, so that they end where what is
    generated begins."""
    if ids is None:
        return tf.zeros([rows, 0], tf.int32)
    order = tf.argsort(tf.cast(ids != PADDING, tf.int32), axis=1, stable=True)
    return tf.gather(ids, order, batch_dims=1)


def written(history: tf.Tensor, place: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """<int32>[rows, time] with <int32>[rows] at one place."""
    return tf.where(tf.range(tf.shape(history)[1]) == place, ids[:, None], history)
