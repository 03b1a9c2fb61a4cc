"""Searches the most probable sequences with a beam, in one graph."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from data.text.special_tokens import PADDING
from models.decoding.constraints import Constraints
from models.decoding.decode import State, Step, align_right, take_step, write_ids
from models.decoding.leaving_rows import run_rows

_NEVER = float("-inf")


class Hypotheses(NamedTuple):
    """The best sequences of each row, the best one first.

    Attributes:
        ids: <int32>[rows, beam_width, max_length], the end token included, `PADDING` after it.
        lengths: <int32>[rows, beam_width], how many ids come before the padding.
        scores: <float32>[rows, beam_width]; -inf where a row has fewer hypotheses.
    """

    ids: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor


def length_divisor(length: tf.Tensor, alpha: float | tf.Tensor) -> tf.Tensor:
    """Returns the divisor of log-probabilities, `((5 + length) / 6) ** alpha` (Wu et al. 2016,
    "Google's Neural Machine Translation System", equation 14)."""
    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** alpha


def beam_search(
    step: Step,
    logits: tf.Tensor,
    state: State,
    *,
    beam_width: int,
    max_length: int | tf.Tensor,
    end_id: int | tf.Tensor,
    length_penalty: float | tf.Tensor = 0.0,
    penalty: Callable[..., tf.Tensor] | None = None,
    early_stopping: bool | tf.Tensor = False,
    previous_ids: tf.Tensor | None = None,
    constraints: Constraints | None = None,
    context: State | None = None,
    leaving: bool = False,
) -> Hypotheses:
    """Keeps the `beam_width` most probable beginnings of each row, step by step.

    Beginnings that end become hypotheses, of which the best `beam_width` by score are kept; their
    places stay empty for one step. A row is searched until none of its beginnings can still become
    one of them, so a beam of 1 is greedy decoding, and a beam that is wide enough is exhaustive
    search. Beginnings that reach `max_length` fill the remaining places, by score.

    Args:
        step: one step of the model, of `rows * beam_width` rows; the beams of a row are adjacent.
            What does not change from step to step belongs into the context, not into the state.
        logits: as `models.decoding.decode.decode`, of `rows` rows.
        state: as `decode`, of `rows` rows.
        beam_width: how many beginnings of each row.
        max_length: as `decode`.
        end_id: as `decode`.
        length_penalty: the exponent of `length_divisor`; 0 for none.
        penalty: takes the state that gave the last logits of a hypothesis and returns
            <float32>[rows * beam_width], 0 or less, which is added to the score, such as for source
            words that were not attended to (Wu et al. 2016).
        early_stopping: whether a row is done as soon as it has `beam_width` hypotheses.
        previous_ids: as `decode`, of `rows` rows.
        constraints: as `decode`; log-probabilities are those after the constraints.
        context: a nest of tensors [rows, ...] that `step` and `penalty` take as their last argument
            and nobody changes, such as the encoded sources; or None, and they take none.
        leaving: whether rows that are done leave the batch, see
            `models.decoding.leaving_rows.run_rows`.
    """
    constraints = constraints or Constraints()
    max_length = tf.convert_to_tensor(max_length, tf.int32)
    rows = tf.shape(logits)[0]
    prompts = align_right(previous_ids, rows)
    first = tf.shape(prompts)[1]
    extra = [] if context is None else [context]

    def repeat(x):
        """Returns [rows, ...] as [rows, beam_width, ...]."""
        return tf.repeat(x[:, None], beam_width, axis=1)

    def score(log_probabilities, length, state, context):
        scores = log_probabilities / length_divisor(length, length_penalty)
        if penalty is None:
            return scores
        penalties = penalty(_flatten(state), *context)
        return scores + tf.reshape(penalties, tf.shape(scores))

    def advance(now, beams):
        alive, context = beams.alive, beams.context
        flat = _flatten(beams.history), _flatten(beams.logits), _flatten(beams.state)
        history, logits, state = flat
        allowed = constraints(logits, history, first, now, end_id)
        alive, ids, origins = _extend(alive, allowed)
        state = tf.nest.map_structure(lambda x: tf.gather(x, origins), state)
        history = write_ids(tf.gather(history, origins), first + now, tf.reshape(ids, [-1]))
        before = _group(state, beam_width)
        scores = tf.where(ids == end_id, score(alive, now + 1, before, context), _NEVER)
        best = _make_hypotheses(history[:, first:], now + 1, scores)
        best = _select_best(beams.best, best)
        # A beginning that ends is none any more. The best score that another can still reach is
        # that of the next or of the last possible length; penalties only lower it.
        lengths = tf.stack([now + 1, max_length])[:, None, None]
        hope = tf.reduce_max(alive / length_divisor(lengths, length_penalty), axis=0)
        done = (ids == end_id) | (hope <= best.scores[:, -1:])
        done |= early_stopping & (best.scores[:, -1:] > _NEVER)
        alive = tf.where(done, _NEVER, alive)
        logits, state = take_step(
            lambda *arguments: step(*arguments, *context), tf.reshape(ids, [-1]), logits, state
        )
        history, logits, state = _group((history, logits, state), beam_width)
        return _Beams(alive, history, best, logits, state, context)

    def is_running(beams):
        return tf.reduce_any(beams.alive > _NEVER, axis=1)

    def result(now, beams):
        scores = score(beams.alive, now, beams.state, beams.context)
        rest = _make_hypotheses(_flatten(beams.history)[:, first:], now, scores)
        return _fill_up(beams.best, rest)

    history = tf.pad(prompts, [[0, 0], [0, max_length]])
    none = tf.fill([rows, beam_width], _NEVER)
    nothing = _make_hypotheses(_flatten(repeat(history))[:, first:], tf.constant(0), none)
    beams = _Beams(
        # At first all beams are the same: one is enough.
        tf.where(tf.range(beam_width) == 0, 0.0, none),
        repeat(history),
        nothing,
        repeat(tf.cast(logits, tf.float32)),
        tf.nest.map_structure(repeat, state),
        extra,
    )
    return run_rows(advance, is_running, result, beams, max_length, leaving)


class _Beams(NamedTuple):
    """The beams of rows, between two steps.

    Attributes:
        alive: <float32>[rows, beam_width], log-probabilities of the beginnings; -inf for none.
        history: <int32>[rows, beam_width, time], the prompts and the tokens since.
        best: the hypotheses so far.
        logits: <float32>[rows, beam_width, vocabulary_size], after the last tokens.
        state: of the model, [rows, beam_width, ...].
        context: what the step reads of each row, if it reads any.
    """

    alive: tf.Tensor
    history: tf.Tensor
    best: Hypotheses
    logits: tf.Tensor
    state: State
    context: list


def _flatten(tensors: State) -> State:
    """Joins the first two axes of each tensor."""
    return tf.nest.map_structure(lambda x: tf.reshape(x, [-1, *_sizes(x)[2:]]), tensors)


def _group(tensors: State, beam_width: int) -> State:
    """Splits the first axis of each tensor into rows and beams."""
    return tf.nest.map_structure(lambda x: tf.reshape(x, [-1, beam_width, *_sizes(x)[1:]]), tensors)


def _sizes(x: tf.Tensor) -> list[int | tf.Tensor]:
    """Returns the sizes of a tensor, as numbers where they are static."""
    return [tf.shape(x)[axis] if size is None else size for axis, size in enumerate(x.shape)]


def _extend(alive: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Extends the beginnings of each row by one token, and keeps the most probable ones.

    Args:
        alive: <float32>[rows, beam_width], log-probabilities.
        logits: <float32>[rows * beam_width, vocabulary_size].

    Returns:
        Log-probabilities <float32> and last ids <int32>[rows, beam_width], the best first; and
        <int32>[rows * beam_width], which beginning of all rows each continues.
    """
    rows, beam_width = tf.shape(alive)[0], alive.shape[1]
    # No more tokens of a beginning can be among the best of its row: the vocabulary is read twice,
    # for these and for the softmax, and only these get log-probabilities.
    count = min(beam_width, logits.shape[-1])
    values, ids = tf.math.top_k(logits, count)
    divisors = tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    # Where everything is banned, the divisor is -inf, too, and their difference would be NaN.
    values = tf.where(values > _NEVER, values - divisors, _NEVER)
    total = tf.reshape(tf.reshape(alive, [-1, 1]) + values, [rows, beam_width * count])
    values, places = tf.math.top_k(total, beam_width)
    ids = tf.gather(tf.reshape(ids, [rows, beam_width * count]), places, batch_dims=1)
    origins = tf.range(rows)[:, None] * beam_width + places // count
    return values, ids, tf.reshape(origins, [-1])


def _make_hypotheses(ids: tf.Tensor, length: tf.Tensor, scores: tf.Tensor) -> Hypotheses:
    """Makes hypotheses of <int32>[rows * beam_width, max_length]; those with the score -inf are
    empty."""
    shape = tf.concat([tf.shape(scores), [tf.shape(ids)[1]]], axis=0)
    real = scores > _NEVER
    return Hypotheses(
        tf.where(real[:, :, None], tf.reshape(ids, shape), PADDING),
        tf.where(real, length, 0),
        scores,
    )


def _select_best(first: Hypotheses, second: Hypotheses) -> Hypotheses:
    """Selects the best of both; of equals the first."""
    joined = Hypotheses(*(tf.concat(pair, axis=1) for pair in zip(first, second, strict=True)))
    _, order = tf.math.top_k(joined.scores, first.scores.shape[1])
    return Hypotheses(*(tf.gather(x, order, batch_dims=1) for x in joined))


def _fill_up(best: Hypotheses, rest: Hypotheses) -> Hypotheses:
    """Fills the empty places of `best` with the best of the rest, which have not ended."""
    rest = _select_best(rest, Hypotheses(*(x[:, :0] for x in rest)))
    place = tf.range(best.scores.shape[1])
    count = tf.reduce_sum(tf.cast(best.scores > _NEVER, tf.int32), axis=1, keepdims=True)
    order = tf.where(place < count, place, tf.size(place) + place - count)
    joined = (tf.concat(pair, axis=1) for pair in zip(best, rest, strict=True))
    return Hypotheses(*(tf.gather(x, order, batch_dims=1) for x in joined))
