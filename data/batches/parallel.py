"""Padded batches of pairs of texts, of similar length on both sides."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from data.batches.buckets import order_batches, round_up_lengths
from data.batches.padded import Batches
from data.text.special_tokens import END, START


class ParallelBatches(Batches):
    """Padded batches of `(ids, targets)` of pairs, like those of `data.batches.padded.Batches`.

    `ids` are `token_ids`, the source and END, and `target_ids`, START and the target; the targets
    are the target and END. No row is empty. Rows are sorted by the length of the target, and rows
    with targets of the same length by the length of the source.

    Args:
        sources, targets: <int32>[rows, (length)], from `data.text.tokenizer.Tokenizer.encode`.
        batch_size, batch_tokens: as `data.batches.buckets.order_batches` takes them; the tokens are
            those of the longer side.
        shuffle_seed, replicas: as `Batches` takes them.
        fixed_shapes: as `Batches` takes it; both sides of a batch are padded to one length.
    """

    def __init__(
        self,
        sources: tf.RaggedTensor,
        targets: tf.RaggedTensor,
        batch_size: int,
        batch_tokens: int = 0,
        shuffle_seed: int | None = None,
        replicas: int = 1,
        fixed_shapes: bool = False,
    ):
        super().__init__(
            *_read_and_written(sources, targets),
            batch_size,
            batch_tokens,
            shuffle_seed,
            replicas,
            fixed_shapes,
        )
        self._measure()

    def _measure(self) -> None:
        """Sets the lengths and widths of the rows."""
        self.sides = [side.row_lengths().numpy() for side in self.ids.values()]
        self.lengths = np.maximum(*self.sides)
        self.widths = round_up_lengths(self.lengths) if self.fixed_shapes else self.lengths

    def order(self, epoch: int) -> list[np.ndarray]:
        generator = None
        if self.shuffle_seed is not None:
            generator = np.random.default_rng([self.shuffle_seed, epoch])
        sources, targets = self.sides
        if self.fixed_shapes or self.batch_tokens:
            # Widths and tokens are those of the longer side.
            first, second = self.widths, targets
        else:
            first, second = targets, sources
        return order_batches(first, self.batch_size, generator, self.batch_tokens, second)

    def padding_share(self, epoch: int = 0) -> float:
        order = self.order(epoch)
        wide = [self.widths] * 2 if self.fixed_shapes else self.sides
        positions = sum(
            len(self.fill_up(rows)) * int(width[rows].max()) for rows in order for width in wide
        )
        return 1.0 - sum(int(side.sum()) for side in self.sides) / positions if positions else 0.0


class RedrawnBatches(ParallelBatches):
    """Batches of pairs whose tokens are drawn anew for each epoch.

    Args:
        draw: returns the sources and the targets of an epoch, <int32>[rows, (length)] each; of the
            same number always the same.
        options: all others of `ParallelBatches`.
    """

    def __init__(
        self,
        draw: Callable[[int], tuple[tf.RaggedTensor, tf.RaggedTensor]],
        *options: Any,
    ):
        self._draw, self._epoch = draw, 0
        super().__init__(*draw(0), *options)

    def order(self, epoch: int) -> list[np.ndarray]:
        # Whatever reads rows of an epoch asks for their order before.
        if epoch != self._epoch:
            self.ids, self.targets = _read_and_written(*self._draw(epoch))
            self._epoch = epoch
            self._measure()
        return super().order(epoch)


def _read_and_written(
    sources: tf.RaggedTensor, targets: tf.RaggedTensor
) -> tuple[dict[str, tf.RaggedTensor], tf.RaggedTensor]:
    """Returns the ids that a model reads of pairs, and those that it learns to write."""
    ids = {"token_ids": append_end(sources), "target_ids": prepend_start(targets)}
    return ids, append_end(targets)


def prepend_start(ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """Puts START before each row, <int32>[rows, (length)]."""
    return tf.concat([_column(ids, START), ids], axis=1)


def append_end(ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """Puts END behind each row, <int32>[rows, (length)]."""
    return tf.concat([ids, _column(ids, END)], axis=1)


def _column(ids: tf.RaggedTensor, value: int) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_tensor(tf.fill([ids.nrows(), 1], value))
