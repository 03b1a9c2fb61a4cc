"""Which rows share a batch: those of like length, so that little is padding."""

from collections.abc import Sequence

import numpy as np

# Rows are sorted by length within pools of this many batches: little padding, much shuffling.
_POOL = 100


def _few_lengths() -> list[int]:
    """Eight, then eight to each doubling: padding up to them adds an eighth of the text at most,
    from 64 tokens on."""
    lengths = list(range(8, 65, 8))
    while lengths[-1] < 1 << 24:
        lengths.append(lengths[-1] + (1 << lengths[-1].bit_length() - 1) // 8)
    return lengths


# What XLA compiles, it compiles for each shape: it is given these lengths alone.
LENGTHS = np.array(_few_lengths(), np.int32)


def few_lengths(lengths: np.ndarray) -> np.ndarray:
    """Each of the lengths, <int>[any], up to the next of `LENGTHS`."""
    return LENGTHS[np.searchsorted(LENGTHS, lengths)]


def rows_of_shape(length: int, batch_size: int, batch_tokens: int = 0) -> int:
    """The most rows that `batch_order` puts into a batch of this length."""
    return _few_sizes(max(1, batch_tokens // max(length, 1))) if batch_tokens else batch_size


def batch_order(
    lengths: np.ndarray,
    batch_size: int,
    generator: np.random.Generator | None = None,
    batch_tokens: int = 0,
    others: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Row numbers of each batch of one epoch, rows of like length together.

    Rows are shuffled, cut into pools, sorted by length within each pool and cut into batches, whose
    order is shuffled too: rows of one length meet others in every epoch.

    Args:
        lengths: <int>[rows], tokens of each row.
        batch_size: rows a batch; the last of a pool may be smaller.
        generator: shuffles rows and batches; None keeps ascending length.
        batch_tokens: if not 0, rows are as many as keep `rows * longest` within it, at least one,
            and `batch_size` does not count.
        others: <int>[rows], second lengths of the rows, by which those of one length are sorted.
    """
    # A pool is some batches of rows, or what holds as many tokens as some batches.
    pool = batch_size * _POOL
    if batch_tokens:
        pool = max(1, int(_POOL * batch_tokens / max(lengths.sum() / max(len(lengths), 1), 1.0)))
    if generator is None:
        return _batches_of(_sorted(lengths, others), lengths, batch_size, batch_tokens)
    rows = generator.permutation(len(lengths))
    batches = []
    for start in range(0, len(rows), pool):
        some = rows[start : start + pool]
        some = some[_sorted(lengths[some], None if others is None else others[some])]
        batches += _batches_of(some, lengths, batch_size, batch_tokens)
    return [batches[i] for i in generator.permutation(len(batches))]


def _sorted(lengths: np.ndarray, others: np.ndarray | None) -> np.ndarray:
    """Positions by ascending length."""
    if others is None:
        return np.argsort(lengths, kind="stable")
    # Up and down by turns: a batch that holds two lengths has like second lengths.
    _, turn = np.unique(lengths, return_inverse=True)
    return np.lexsort([np.where(turn % 2, -others, others), lengths])


def _batches_of(
    rows: np.ndarray, lengths: np.ndarray, batch_size: int, batch_tokens: int
) -> list[np.ndarray]:
    """Rows of ascending length cut into batches."""
    batches, start = [], 0
    while start < len(rows):
        size = batch_size
        if batch_tokens:
            # The longest of a batch is its last row: how many fit follows from every end.
            ends = np.arange(start, min(len(rows), start + batch_tokens))
            fits = (ends - start + 1) * lengths[rows[ends]] <= batch_tokens
            size = _few_sizes(max(1, int(fits.argmin()) if not fits.all() else len(ends)))
        batches.append(rows[start : start + size])
        start += size
    return batches


def _few_sizes(rows: int) -> int:
    """Down to a multiple of eight: what compiles for each shape then meets fewer of them."""
    return rows - rows % 8 if rows > 8 else rows


def padding_share(lengths: np.ndarray, order: Sequence) -> float:
    """The share of the batches' token positions that are padding; 0 for none.

    Args:
        lengths: <int>[rows], tokens of each row.
        order: row numbers of each batch, each row in one of them.
    """
    positions = sum(len(rows) * int(lengths[rows].max()) for rows in order)
    return 1.0 - int(lengths.sum()) / positions if positions else 0.0
