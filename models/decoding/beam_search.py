"""The most probable sequences, searched with a beam, in one graph."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from data.text.special_tokens import PADDING
from models.decoding.constraints import Constraints
from models.decoding.decode import State, Step, previous, stepped, written

_NEVER = float("-inf")


class Hypotheses(NamedTuple):
    """The best of each row, the best one first.

    Attributes:
        ids: <int32>[rows, beam_width, max_length], the end token included, `PADDING` after it.
        lengths: <int32>[rows, beam_width], ids before the padding.
        scores: <float32>[rows, beam_width]; -inf where a row has fewer hypotheses.
    """

    ids: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor


def length_divisor(length: tf.Tensor, alpha: float | tf.Tensor) -> tf.Tensor:
    """What log-probabilities are divided by: `((5 + length) / 6) ** alpha` (Wu et al. 2016,
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

    Of them those that end become hypotheses and leave their places for this step; the best
    `beam_width` hypotheses by score are kept. A row is searched until none of its beginnings can
    still become one of them, so a beam of 1 is greedy decoding, and a beam that is wide enough is
    exhaustive search. Beginnings that reach `max_length` fill the places that are left, by score.

    Args:
        step: one step of the model, of `rows * beam_width` rows: those of a row stand together.
            What does not change belongs into it, not into the state, and must be repeated so.
        logits, state, max_length, end_id, previous_ids, constraints: as
        `models.decoding.decode.decode`,
            of `rows` rows. Log-probabilities are those after the constraints.
        beam_width: how many.
        length_penalty: the exponent of `length_divisor`; 0 for none.
        penalty: of the state that gave a hypothesis' last logits, such as for source words that
            were not attended to (Wu et al. 2016): <float32>[rows * beam_width], 0 or less, added to
            the score.
        early_stopping: whether a row is done as soon as it has `beam_width` hypotheses.
    """
    constraints = constraints or Constraints()
    max_length = tf.convert_to_tensor(max_length, tf.int32)
    rows = tf.shape(logits)[0]
    beams = tf.repeat(tf.range(rows), beam_width)
    before = tf.gather(previous(previous_ids, rows), beams)
    first = tf.shape(before)[1]

    def score(log_probabilities, length, state):
        scores = log_probabilities / length_divisor(length, length_penalty)
        return scores if penalty is None else scores + tf.reshape(penalty(state), tf.shape(scores))

    def more(now, alive, *_):
        return (now < max_length) & tf.reduce_any(alive > _NEVER)

    def body(now, alive, history, best, logits, state):
        allowed = constraints(logits, history, first, now, end_id)
        alive, ids, origins = _grown(alive, allowed)
        state = tf.nest.map_structure(lambda each: tf.gather(each, origins), state)
        history = written(tf.gather(history, origins), first + now, tf.reshape(ids, [-1]))
        scores = tf.where(ids == end_id, score(alive, now + 1, state), _NEVER)
        best = _best(best, _hypotheses(history[:, first:], now + 1, scores))
        # Ends are no beginnings. Of later ends the best one has the score of the next or the last
        # possible length; penalties only lower it.
        lengths = tf.stack([now + 1, max_length])[:, None, None]
        hope = tf.reduce_max(alive / length_divisor(lengths, length_penalty), axis=0)
        done = (ids == end_id) | (hope <= best.scores[:, -1:])
        done |= early_stopping & (best.scores[:, -1:] > _NEVER)
        alive = tf.where(done, _NEVER, alive)
        logits, state = stepped(step, tf.reshape(ids, [-1]), logits, state)
        return now + 1, alive, history, best, logits, state

    history = tf.pad(before, [[0, 0], [0, max_length]])
    none = tf.fill([rows, beam_width], _NEVER)
    now, alive, history, best, _, state = tf.while_loop(
        more,
        body,
        [
            tf.constant(0),
            # At first all are the same: one is enough.
            tf.where(tf.range(beam_width) == 0, 0.0, none),
            history,
            _hypotheses(history[:, first:], tf.constant(0), none),
            tf.gather(tf.cast(logits, tf.float32), beams),
            tf.nest.map_structure(lambda each: tf.gather(each, beams), state),
        ],
    )
    rest = _hypotheses(history[:, first:], now, score(alive, now, state))
    return _filled(best, rest)


def _grown(alive: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The most probable continuations of the beginnings of each row.

    Args:
        alive: <float32>[rows, beam_width], log-probabilities.
        logits: <float32>[rows * beam_width, vocabulary_size].

    Returns:
        Log-probabilities <float32> and last ids <int32>[rows, beam_width], the best first; and
        <int32>[rows * beam_width], which beginning of all rows each continues.
    """
    rows, beam_width = tf.shape(alive)[0], alive.shape[1]
    vocabulary_size = logits.shape[-1]
    # Where everything is banned the softmax is not a number.
    logits = tf.where(logits > _NEVER, tf.nn.log_softmax(logits), _NEVER)
    total = tf.reshape(alive, [-1, 1]) + logits
    values, places = tf.math.top_k(
        tf.reshape(total, [rows, beam_width * vocabulary_size]), beam_width
    )
    origins = tf.range(rows)[:, None] * beam_width + places // vocabulary_size
    return values, places % vocabulary_size, tf.reshape(origins, [-1])


def _hypotheses(ids: tf.Tensor, length: tf.Tensor, scores: tf.Tensor) -> Hypotheses:
    """From <int32>[rows * beam_width, max_length]; those whose score is -inf are empty."""
    shape = tf.concat([tf.shape(scores), [tf.shape(ids)[1]]], axis=0)
    real = scores > _NEVER
    return Hypotheses(
        tf.where(real[:, :, None], tf.reshape(ids, shape), PADDING),
        tf.where(real, length, 0),
        scores,
    )


def _best(first: Hypotheses, second: Hypotheses) -> Hypotheses:
    """The best of both; of equals the first."""
    joined = Hypotheses(*(tf.concat(pair, axis=1) for pair in zip(first, second, strict=True)))
    _, order = tf.math.top_k(joined.scores, first.scores.shape[1])
    return Hypotheses(*(tf.gather(each, order, batch_dims=1) for each in joined))


def _filled(best: Hypotheses, rest: Hypotheses) -> Hypotheses:
    """`best` and behind it the best of the rest, which have not ended."""
    rest = _best(rest, Hypotheses(*(each[:, :0] for each in rest)))
    place = tf.range(best.scores.shape[1])
    count = tf.reduce_sum(tf.cast(best.scores > _NEVER, tf.int32), axis=1, keepdims=True)
    order = tf.where(place < count, place, tf.size(place) + place - count)
    joined = (tf.concat(pair, axis=1) for pair in zip(best, rest, strict=True))
    return Hypotheses(*(tf.gather(each, order, batch_dims=1) for each in joined))
