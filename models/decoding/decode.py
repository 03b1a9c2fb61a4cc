"""Generates token after token in one graph: a `tf.while_loop` that carries the model's state."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from data.text.special_tokens import PADDING
from models.decoding.constraints import Constraints
from models.decoding.leaving_rows import run_rows
from models.decoding.sampling import Choose, uniform_streams

# Any nest of tensors whose first axis is the rows.
State = Any
# step(token_ids <int32>[rows], state[, context])
# -> logits <float32>[rows, vocabulary_size], the new state
Step = Callable[..., tuple[tf.Tensor, State]]
# stopped(ids <int32>[rows, max_length], PADDING after the last one; lengths <int32>[rows])
# -> <bool>[rows]
Stopped = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Decoded(NamedTuple):
    """The generated tokens.

    Attributes:
        ids: <int32>[rows, max_length], the end token included, `PADDING` after it.
        lengths: <int32>[rows], how many ids come before the padding.
        log_probabilities: <float32>[rows], of the ids by the model, the end token included, without
            temperature, truncation and constraints.
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
    context: State | None = None,
    leaving: bool = False,
) -> Decoded:
    """Generates tokens until every row has ended.

    Args:
        step: one step of the model.
        logits: <float32>[rows, vocabulary_size], those after the prompts; the last size is static.
        state: the state of the model after the prompts.
        max_length: the most ids of a row.
        choose: such as `models.decoding.sampling.greedy` or a `Sampling`.
        end_id: the token that ends a row; -1 for none.
        seed: as `models.decoding.sampling.uniform_streams`. The sample of a row depends only on its
            stream, not on the batch or on `max_length`.
        previous_ids: <int32>[rows, length], the prompts, for the constraints; padded on either
            side.
        constraints: on the tokens that are chosen; those of `Constraints()` if None.
        stopped: called after each step; rows where it returns true end there.
        context: a nest of tensors [rows, ...] that `step` takes as its last argument and nobody
            changes, such as the encoded sources; or None, and it takes none.
        leaving: whether rows that have ended leave the batch, see
            `models.decoding.leaving_rows.run_rows`; then `stopped` sees only those that are left.
    """
    constraints = constraints or Constraints()
    max_length = tf.convert_to_tensor(max_length, tf.int32)
    rows = tf.shape(logits)[0]
    prompts = align_right(previous_ids, rows)
    first = tf.shape(prompts)[1]

    def advance(now, texts):
        logits, history, ended = texts.logits, texts.history, texts.ended
        allowed = constraints(logits, history, first, now, end_id)
        chosen = tf.where(ended, PADDING, choose(allowed, texts.numbers[:, now]))
        # PADDING is chosen only where everything else is banned.
        ended |= chosen == PADDING
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(chosen, logits)
        total = texts.total - tf.where(ended, 0.0, loss)
        lengths = texts.lengths + tf.cast(~ended, tf.int32)
        history = write_ids(history, first + now, chosen)
        ended |= chosen == end_id
        if stopped is not None:
            ended |= stopped(history[:, first:], lengths)
        logits, state = take_step(
            lambda *arguments: step(*arguments, *texts.context), chosen, logits, texts.state
        )
        return texts._replace(
            history=history, ended=ended, lengths=lengths, total=total, logits=logits, state=state
        )

    history = tf.pad(prompts, [[0, 0], [0, max_length]])
    history.set_shape([logits.shape[0], None])
    texts = _Texts(
        history,
        tf.zeros_like(logits[:, 0], tf.bool),
        tf.zeros_like(logits[:, 0], tf.int32),
        tf.zeros_like(logits[:, 0], tf.float32),
        tf.cast(logits, tf.float32),
        state,
        tf.transpose(uniform_streams(seed, rows, max_length)),
        [] if context is None else [context],
    )
    return run_rows(
        advance,
        lambda texts: ~texts.ended,
        lambda _, texts: Decoded(texts.history[:, first:], texts.lengths, texts.total),
        texts,
        max_length,
        leaving,
    )


class _Texts(NamedTuple):
    """Texts that are being generated, between two steps.

    Attributes:
        history: <int32>[rows, time], the prompts and the tokens since.
        ended: <bool>[rows].
        lengths: <int32>[rows], of what was generated.
        total: <float32>[rows], its log-probabilities.
        logits: <float32>[rows, vocabulary_size], after the last tokens.
        state: of the model.
        numbers: <float32>[rows, max_length], the random numbers to choose by.
        context: what the step reads of each row, if it reads any.
    """

    history: tf.Tensor
    ended: tf.Tensor
    lengths: tf.Tensor
    total: tf.Tensor
    logits: tf.Tensor
    state: State
    numbers: tf.Tensor
    context: list


def take_step(
    step: Step, chosen: tf.Tensor, logits: tf.Tensor, state: State
) -> tuple[tf.Tensor, State]:
    """Returns the logits and the state after a step, with the static shapes of those before it, as
    loops demand."""

    def like(new, old):
        new = tf.convert_to_tensor(new)
        new.set_shape(old.shape)
        return new

    new_logits, new_state = step(chosen, state)
    new_logits = like(tf.cast(new_logits, tf.float32), logits)
    tf.nest.assert_same_structure(state, new_state)
    return new_logits, tf.nest.map_structure(like, new_state, state)


def align_right(ids: tf.Tensor | None, rows: tf.Tensor) -> tf.Tensor:
    """Moves the padding of prompts, <int32>[rows, length], before their ids, so that all end where
    the generated tokens begin."""
    if ids is None:
        return tf.zeros([rows, 0], tf.int32)
    order = tf.argsort(tf.cast(ids != PADDING, tf.int32), axis=1, stable=True)
    return tf.gather(ids, order, batch_dims=1)


def write_ids(history: tf.Tensor, place: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Writes <int32>[rows] into one column of <int32>[rows, time]."""
    return tf.where(tf.range(tf.shape(history)[1]) == place, ids[:, None], history)
