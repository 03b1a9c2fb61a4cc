"""The task that every engine is timed on, and how a step is timed.

Embedding(10000, 128) -> one recurrent layer -> Dense(1) on its last output; binary cross-entropy
on logits, Adam with default settings, float32.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

VOCABULARY_SIZE = 10_000
EMBEDDING_DIM = 128
# The layers of the grid: the cell of `models.registry.CELLS` and whether it runs both ways.
CELLS = {
    "simple_rnn": ("simple_rnn", False),
    "lstm": ("lstm", False),
    "gru": ("gru", False),
    "bidirectional_lstm": ("lstm", True),
}


def random_batch(batch: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """One batch, the same in every process.

    Returns:
        ids: <int32>[batch, length], none of them 0, the id of padding.
        targets: <float32>[batch, 1], 0 or 1.
    """
    generator = np.random.default_rng(0)
    ids = generator.integers(1, VOCABULARY_SIZE, (batch, length), dtype=np.int32)
    return ids, random_targets(batch)


def random_targets(rows: int) -> np.ndarray:
    """<float32>[rows, 1], 0 or 1; the time of a step does not depend on them."""
    return np.random.default_rng(1).integers(0, 2, (rows, 1)).astype(np.float32)


def write_rows(path: Path, ids: np.ndarray, lengths: np.ndarray) -> None:
    """Keeps rows of unlike length for the workers.

    Args:
        path: the file, `.npz`.
        ids: <int32>[tokens], the rows one after the other.
        lengths: <int64>[rows].
    """
    np.savez(path, ids=ids, lengths=lengths)


def read_rows(path: str) -> tuple[np.ndarray, np.ndarray]:
    """`ids` and `lengths` as `write_rows` got them."""
    with np.load(path) as arrays:
        return arrays["ids"], arrays["lengths"]


def seconds_of(step: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def milliseconds_a_step(step: Callable[[], object], at_least: float) -> float:
    """Mean over one step or as many as fill `at_least` seconds."""
    seconds, steps = 0.0, 0
    while not steps or seconds < at_least:
        seconds += seconds_of(step)
        steps += 1
    return 1000 * seconds / steps
