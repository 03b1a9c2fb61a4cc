"""Generates token after token, each text until it ends; what has ended leaves the batch."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..vocabulary import PADDING
from .choices import Constraints, Sampling, log_sum_exp

# Arrays by name, whose first axis is the rows.
Arrays = dict[str, np.ndarray]
# step(ids <int>[rows], state, context) -> logits <float32>[rows, vocabulary_size], the new state
Step = Callable[[np.ndarray, Arrays, Arrays], tuple[np.ndarray, Arrays]]
# stopped(number of the row, its ids so far) -> whether it ends there
Stopped = Callable[[int, Sequence[int]], bool]


class Decoded(NamedTuple):
    """A generated text.

    Attributes:
        ids: the end token included.
        log_probability: of the ids by the model, the end token included, without temperature,
            truncation and constraints.
    """

    ids: list[int]
    log_probability: float


def take(arrays: Arrays, rows: np.ndarray) -> Arrays:
    """Returns some rows of each array."""
    return {name: array[rows] for name, array in arrays.items()}


def decode(
    step: Step,
    logits: np.ndarray,
    state: Arrays,
    context: Arrays,
    *,
    history: np.ndarray,
    max_length: int,
    sampling: Sampling,
    uniform: np.ndarray,
    constraints: Constraints,
    end: int,
    stopped: Stopped | None = None,
) -> list[Decoded]:
    """Generates tokens until every row has ended.

    Args:
        step: one step of the model.
        logits: <float32>[rows, vocabulary_size], those after the prompts.
        state: of the model after the prompts.
        context: what the step reads of each row and nobody changes, such as the encoded sources.
        history: <int>[rows, length], the prompts, padded before them.
        max_length: the most ids of a row.
        sampling: how a token is chosen.
        uniform: <float32>[rows, max_length], the random numbers to choose by.
        constraints: on the tokens that are chosen.
        end: the token that ends a row; -1 for none.
        stopped: called with each row after each step; one for which it returns true ends there.
    """
    rows = np.arange(len(logits))
    found: list[list[int]] = [[] for _ in rows]
    totals = np.zeros(len(rows), np.float32)
    for now in range(max_length):
        allowed = constraints.apply(logits, history, now, end)
        chosen = sampling.choose(allowed, uniform[rows, now])
        # PADDING is chosen only where everything else is banned.
        ended = chosen == PADDING
        losses = log_sum_exp(logits) - logits[np.arange(len(rows)), chosen]
        totals[rows] -= np.where(ended, np.float32(0), losses)
        for place, (row, token) in enumerate(zip(rows, chosen, strict=True)):
            if not ended[place]:
                found[row].append(int(token))
                ended[place] = token == end or (
                    stopped is not None and stopped(int(row), found[row])
                )
        left = np.flatnonzero(~ended)
        if not len(left) or now == max_length - 1:
            break
        if len(left) < len(rows):
            rows, chosen, history = rows[left], chosen[left], history[left]
            state, context = take(state, left), take(context, left)
        history = np.concatenate([history, chosen[:, None]], axis=1)
        logits, state = step(chosen, state, context)
    return [
        Decoded(ids, total) for ids, total in zip(found, totals.astype(float).tolist(), strict=True)
    ]
