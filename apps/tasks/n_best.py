"""Several answers to one input as columns, the best first: `caption`, `score`, `caption_2`, ..."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def n_best_rows(column: str, texts: np.ndarray, scores: np.ndarray) -> list[dict[str, Any]]:
    """Returns the columns of each input of a batch.

    Args:
        column: the name of the column of the best answers.
        texts: <bytes>[batch] or [batch, n_best].
        scores: <float32>, of the same shape; not finite where there are fewer answers.
    """
    if texts.ndim == 1:
        texts, scores = texts[:, None], scores[:, None]
    return [_row(column, *each) for each in zip(texts, scores, strict=True)]


def _row(column: str, texts: Iterable[bytes], scores: Iterable[float]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for number, (text, score) in enumerate(zip(texts, scores, strict=True), 1):
        end = _ending(number)
        row[f"{column}{end}"] = text.decode()
        # Seven digits are all that a float32 holds.
        row[f"score{end}"] = float(f"{score:.7g}") if math.isfinite(score) else None
    return row


def empty_columns(column: str, n_best: int) -> dict[str, None]:
    """Returns the columns of an input that could not be answered."""
    ends = [_ending(number) for number in range(1, n_best + 1)]
    return {f"{name}{end}": None for end in ends for name in (column, "score")}


def to_columns(column: str, found: list[tuple[str, float | None]], n_best: int) -> dict[str, Any]:
    """Returns the columns of answers with their scores, the best first, as many as `n_best`."""
    row: dict[str, Any] = empty_columns(column, n_best)
    for number, (text, score) in enumerate(found[:n_best], 1):
        end = _ending(number)
        row[f"{column}{end}"], row[f"score{end}"] = text, score
    return row


def read_n_best(column: str, row: dict[str, Any]) -> list[tuple[str, float | None]]:
    """Returns the answers in a row with their scores, the best first; None for no answer."""
    names = [name for name in row if name == column or name.startswith(f"{column}_")]
    return [(row[name], row[f"score{name.removeprefix(column)}"]) for name in names]


def _ending(number: int) -> str:
    return "" if number == 1 else f"_{number}"
