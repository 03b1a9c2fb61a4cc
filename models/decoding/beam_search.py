"""Searches the most probable sequences with a beam, in one graph."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from data.text.special_tokens import PADDING
from models.decoding.constraints import Constraints
from models.decoding.decode import State, Step, align_right, take_step, write_ids

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
    penalty: Callable[[State], tf.Tensor] | None = None,
    early_stopping: bool | tf.Tensor = False,
    previous_ids: tf.Tensor | None = None,
    constraints: Constraints | None = None,
) -> Hypotheses:
    """Keeps the `beam_width` most probable beginnings of each row, step by step.

    Beginnings that end become hypotheses, of which the best `beam_width` by score are kept; their
    places stay empty for one step. A row is searched until none of its beginnings can still become
    one of them, so a beam of 1 is greedy decoding, and a beam that is wide enough is exhaustive
    search. Beginnings that reach `max_length` fill the remaining places, by score.

    Args:
        step: one step of the model, of `rows * beam_width` rows; the beams of a row are adjacent.
            What does not change belongs into this function, with its rows repeated, instead of into
            the state.
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
    """
    constraints = constraints or Constraints()
    max_length = tf.convert_to_tensor(max_length, tf.int32)
    rows = tf.shape(logits)[0]
    beams = tf.repeat(tf.range(rows), beam_width)
    prompts = tf.gather(align_right(previous_ids, rows), beams)
    first = tf.shape(prompts)[1]

    def score(log_probabilities, length, state):
        scores = log_probabilities / length_divisor(length, length_penalty)
        return scores if penalty is None else scores + tf.reshape(penalty(state), tf.shape(scores))

    def more(now, alive, *_):
        return (now < max_length) & tf.reduce_any(alive > _NEVER)

    def body(now, alive, history, best, logits, state):
        allowed = constraints(logits, history, first, now, end_id)
        alive, ids, origins = _extend(alive, allowed)
        state = tf.nest.map_structure(lambda x: tf.gather(x, origins), state)
        history = write_ids(tf.gather(history, origins), first + now, tf.reshape(ids, [-1]))
        scores = tf.where(ids == end_id, score(alive, now + 1, state), _NEVER)
        best = _select_best(best, _make_hypotheses(history[:, first:], now + 1, scores))
        # A beginning that ends is none any more. The best score that another can still reach is
        # that of the next or of the last possible length; penalties only lower it.
        lengths = tf.stack([now + 1, max_length])[:, None, None]
        hope = tf.reduce_max(alive / length_divisor(lengths, length_penalty), axis=0)
        done = (ids == end_id) | (hope <= best.scores[:, -1:])
        done |= early_stopping & (best.scores[:, -1:] > _NEVER)
        alive = tf.where(done, _NEVER, alive)
        logits, state = take_step(step, tf.reshape(ids, [-1]), logits, state)
        return now + 1, alive, history, best, logits, state

    history = tf.pad(prompts, [[0, 0], [0, max_length]])
    none = tf.fill([rows, beam_width], _NEVER)
    now, alive, history, best, _, state = tf.while_loop(
        more,
        body,
        [
            tf.constant(0),
            # At first all beams are the same: one is enough.
            tf.where(tf.range(beam_width) == 0, 0.0, none),
            history,
            _make_hypotheses(history[:, first:], tf.constant(0), none),
            tf.gather(tf.cast(logits, tf.float32), beams),
            tf.nest.map_structure(lambda x: tf.gather(x, beams), state),
        ],
    )
    rest = _make_hypotheses(history[:, first:], now, score(alive, now, state))
    return _fill_up(best, rest)


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
    vocabulary_size = logits.shape[-1]
    # Where everything is banned, the softmax is NaN.
    logits = tf.where(logits > _NEVER, tf.nn.log_softmax(logits), _NEVER)
    total = tf.reshape(alive, [-1, 1]) + logits
    values, places = tf.math.top_k(
        tf.reshape(total, [rows, beam_width * vocabulary_size]), beam_width
    )
    origins = tf.range(rows)[:, None] * beam_width + places // vocabulary_size
    return values, places % vocabulary_size, tf.reshape(origins, [-1])


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
