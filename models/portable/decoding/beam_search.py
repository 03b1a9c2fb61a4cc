"""Searches the most probable texts with a beam, as `models.decoding.beam_search` does."""

from collections.abc import Callable

import numpy as np

from .choices import NEVER, Constraints, log_sum_exp, top
from .decode import Arrays, Step, take


def length_divisor(length: int, alpha: float) -> np.float32:
    """Returns the divisor of log-probabilities, `((5 + length) / 6) ** alpha` (Wu et al. 2016,
    "Google's Neural Machine Translation System", equation 14)."""
    return np.float32(((5.0 + length) / 6.0) ** alpha)


def beam_search(
    step: Step,
    logits: np.ndarray,
    state: Arrays,
    context: Arrays,
    *,
    history: np.ndarray,
    beam_width: int,
    max_length: int,
    end: int,
    constraints: Constraints,
    length_penalty: float = 0.0,
    penalty: Callable[[Arrays, Arrays], np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Keeps the `beam_width` most probable beginnings of each row, step by step.

    Args:
        step: one step of the model, of `rows * beam_width` rows; the beams of a row are adjacent.
        logits, state, context, history, max_length, end, constraints: as
            `models.portable.decoding.decode.decode`; log-probabilities are those after the
            constraints.
        beam_width: how many beginnings of each row.
        length_penalty: the exponent of `length_divisor`; 0 for none.
        penalty: takes the state that gave the last logits of hypotheses, and the context, and
            returns <float32>[rows * beam_width], 0 or less, which is added to their scores.

    Returns:
        Ids <int>[rows, beam_width, max_length], 0 after the end token, the best first, and their
        scores <float32>[rows, beam_width], -inf where a row has fewer.
    """
    rows, beams = len(logits), beam_width
    every = np.repeat(np.arange(rows), beams)
    logits, state, history = logits[every], take(state, every), history[every]
    written = np.zeros((rows, beams, max_length), np.int64)
    best = np.zeros_like(written), np.full((rows, beams), NEVER)
    alive = np.full((rows, beams), NEVER)
    # At first all beams are the same: one is enough.
    alive[:, 0] = 0
    ids, scores = np.zeros_like(written), np.full((rows, beams), NEVER)
    running = np.arange(rows)

    def score(alive: np.ndarray, length: int, state: Arrays) -> np.ndarray:
        found = alive / length_divisor(length, length_penalty)
        return found if penalty is None else found + penalty(state, context).reshape(found.shape)

    for now in range(max_length):
        allowed = constraints.apply(logits, history, now, end)
        alive, tokens, origins = _extend(alive, allowed)
        state, history = take(state, origins), history[origins]
        written = written.reshape(-1, max_length)[origins].reshape(written.shape)
        written[:, :, now] = tokens
        history = np.concatenate([history, tokens.reshape(-1, 1)], axis=1)
        ended = tokens == end
        if ended.any():
            hypotheses = np.where(ended, score(alive, now + 1, state), NEVER)
            best = _select_best(best, (written, hypotheses))
        # The best score that a beginning can still reach is that of the next or of the last
        # possible length; penalties only lower it.
        hope = np.maximum(
            alive / length_divisor(now + 1, length_penalty),
            alive / length_divisor(max_length, length_penalty),
        )
        alive = np.where(ended | (hope <= best[1][:, -1:]), NEVER, alive)
        done = ~(alive > NEVER).any(axis=1)
        ids[running[done]], scores[running[done]] = best[0][done], best[1][done]
        left = np.flatnonzero(~done)
        if not len(left):
            return ids, scores
        if len(left) < len(running):
            flat = (left[:, None] * beams + np.arange(beams)).reshape(-1)
            running, alive, written, tokens = (
                running[left],
                alive[left],
                written[left],
                tokens[left],
            )
            best = best[0][left], best[1][left]
            state, history, context = take(state, flat), history[flat], take(context, left)
        logits, state = step(tokens.reshape(-1), state, context)
    rest = _select_best((written[:, :0], alive[:, :0]), (written, score(alive, max_length, state)))
    ids[running], scores[running] = _fill_up(best, rest)
    return ids, scores


def _extend(alive: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Extends the beginnings of each row by one token, and keeps the most probable ones.

    Args:
        alive: <float32>[rows, beam_width], log-probabilities.
        logits: <float32>[rows * beam_width, vocabulary_size].

    Returns:
        Log-probabilities <float32> and last ids <int>[rows, beam_width], the best first; and
        <int>[rows * beam_width], which beginning of all rows each continues.
    """
    rows, beams = alive.shape
    count = min(beams, logits.shape[1])
    ids = np.stack([top(row, count) for row in logits])
    values = np.take_along_axis(logits, ids, axis=1)
    divisors = log_sum_exp(logits)[:, None]
    # Where everything is banned, the divisor is -inf, too, and their difference would be NaN.
    with np.errstate(invalid="ignore"):
        values = np.where(values > NEVER, values - divisors, NEVER)
    total = (alive.reshape(-1, 1) + values).reshape(rows, beams * count)
    places = np.stack([top(row, beams) for row in total])
    ids = np.take_along_axis(ids.reshape(rows, beams * count), places, axis=1)
    origins = np.arange(rows)[:, None] * beams + places // count
    return np.take_along_axis(total, places, axis=1), ids, origins.reshape(-1)


def _select_best(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Selects the best of both, as many as the second has; of equals the first."""
    ids, scores = (np.concatenate(pair, axis=1) for pair in zip(first, second, strict=True))
    order = np.argsort(-scores, axis=1, kind="stable")[:, : second[1].shape[1]]
    scores = np.take_along_axis(scores, order, axis=1)
    ids = np.take_along_axis(ids, order[:, :, None], axis=1)
    return np.where(scores[:, :, None] > NEVER, ids, 0), scores


def _fill_up(
    best: tuple[np.ndarray, np.ndarray], rest: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Fills the empty places of `best` with the best of the rest, which have not ended."""
    ids, scores = (np.concatenate(pair, axis=1) for pair in zip(best, rest, strict=True))
    beams = best[1].shape[1]
    place = np.arange(beams)
    count = (best[1] > NEVER).sum(axis=1, keepdims=True)
    order = np.where(place < count, place, beams + place - count)
    return (
        np.take_along_axis(ids, order[:, :, None], axis=1),
        np.take_along_axis(scores, order, axis=1),
    )
