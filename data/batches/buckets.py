"""Batches of rows of similar length, so that little is padding: their rows and their order."""

from collections.abc import Sequence

import numpy as np

# Rows are sorted by length within pools of this many batches: little padding, much shuffling.
_POOL = 100


def _list_lengths() -> list[int]:
    """Multiples of 8 up to 64, then eight lengths per power of two: from 64 tokens on, padding up
    to the next of them adds at most an eighth of the text."""
    lengths = list(range(8, 65, 8))
    while lengths[-1] < 1 << 24:
        lengths.append(lengths[-1] + (1 << lengths[-1].bit_length() - 1) // 8)
    return lengths


# XLA compiles for each shape, so it is given batches of these lengths alone.
LENGTHS = np.array(_list_lengths(), np.int32)


def round_up_lengths(lengths: np.ndarray) -> np.ndarray:
    """Rounds lengths, <int>[any], up to the next of `LENGTHS`."""
    return LENGTHS[np.searchsorted(LENGTHS, lengths)]


def max_rows(length: int, batch_size: int, batch_tokens: int = 0) -> int:
    """Returns the most rows that `order_batches` puts into a batch of rows of this length."""
    return _round_down_rows(max(1, batch_tokens // max(length, 1))) if batch_tokens else batch_size


def order_batches(
    lengths: np.ndarray,
    batch_size: int,
    generator: np.random.Generator | None = None,
    batch_tokens: int = 0,
    others: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Returns the row numbers of each batch of one epoch, rows of similar length together.

    Rows are shuffled, cut into pools, sorted by length within each pool and cut into batches, whose
    order is shuffled, too: a row shares its batch with other rows in every epoch.

    Args:
        lengths: <int>[rows], tokens of each row.
        batch_size: rows of a batch; the last one of a pool may be smaller.
        generator: shuffles rows and batches; without one, rows are in ascending order of length.
        batch_tokens: if not 0, a batch has as many rows as keep `rows * longest` within this, but
            at least one; `batch_size` is ignored then.
        others: <int>[rows], second lengths, by which rows of the same length are sorted.
    """
    # A pool holds the rows of `_POOL` batches, or about as many tokens as they do.
    pool = batch_size * _POOL
    if batch_tokens:
        pool = max(1, int(_POOL * batch_tokens / max(lengths.sum() / max(len(lengths), 1), 1.0)))
    if generator is None:
        return _cut_batches(_sort_by_length(lengths, others), lengths, batch_size, batch_tokens)
    rows = generator.permutation(len(lengths))
    batches = []
    for start in range(0, len(rows), pool):
        pooled = rows[start : start + pool]
        second = None if others is None else others[pooled]
        pooled = pooled[_sort_by_length(lengths[pooled], second)]
        batches += _cut_batches(pooled, lengths, batch_size, batch_tokens)
    return [batches[i] for i in generator.permutation(len(batches))]


def _sort_by_length(lengths: np.ndarray, others: np.ndarray | None) -> np.ndarray:
    """Returns positions in ascending order of length, and of the second length within each."""
    if others is None:
        return np.argsort(lengths, kind="stable")
    # The second lengths rise and fall by turns, so that they are similar in a batch of two lengths.
    _, turn = np.unique(lengths, return_inverse=True)
    return np.lexsort([np.where(turn % 2, -others, others), lengths])


def _cut_batches(
    rows: np.ndarray, lengths: np.ndarray, batch_size: int, batch_tokens: int
) -> list[np.ndarray]:
    """Cuts rows in ascending order of length into batches."""
    batches, start = [], 0
    while start < len(rows):
        size = batch_size
        if batch_tokens:
            # The last row of a batch is the longest: it says whether a batch that ends there fits.
            ends = np.arange(start, min(len(rows), start + batch_tokens))
            fits = (ends - start + 1) * lengths[rows[ends]] <= batch_tokens
            size = _round_down_rows(max(1, int(fits.argmin()) if not fits.all() else len(ends)))
        batches.append(rows[start : start + size])
        start += size
    return batches


def _round_down_rows(rows: int) -> int:
    """Rounds down to a multiple of eight, so that there are fewer shapes to compile for."""
    return rows - rows % 8 if rows > 8 else rows


def padding_share(lengths: np.ndarray, order: Sequence) -> float:
    """Returns the share of the batches' token positions that are padding.

    Args:
        lengths: <int>[rows], tokens of each row.
        order: the row numbers of each batch; each row is in one of them.
    """
    positions = sum(len(rows) * int(lengths[rows].max()) for rows in order)
    return 1.0 - int(lengths.sum()) / positions if positions else 0.0
