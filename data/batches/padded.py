"""Padded batches of rows that were tokenized once, rows of similar length together."""

import numpy as np
import tensorflow as tf

from data.batches.buckets import max_rows, order_batches, round_up_lengths
from data.graphs import in_chunks, without_autograph
from data.text.preprocessor import TextPreprocessor


def describe_cut(preprocessor: TextPreprocessor, texts: list[str]) -> str:
    """Returns a line on how many texts are longer than what the preprocessor keeps of them; the
    empty text for none."""
    counts = in_chunks(lambda chunk: preprocessor.count_cut(chunk)[None])(texts)
    longer, tokens, dropped = counts.numpy().sum(axis=0).tolist()
    if not longer:
        return ""
    return (
        f"truncated texts: {longer:,} of {len(texts):,} are longer than "
        f"{preprocessor.max_length:,} tokens; {dropped / max(tokens, 1):.1%} of all tokens are "
        "not read"
    )


class Batches:
    """Padded batches of `(ids, targets)`, epoch by epoch.

    With several replicas or fixed shapes a batch is filled up with copies of one of its rows, and
    is `(ids, targets, weights)`. Copies have the weight 0, and the mean of the weights is 1, so
    that a mean over the rows is what it would be without the copies.

    Args:
        ids: of all rows; `token_ids` has the lengths.
        targets: <float32>[rows, ...]; or <int32>[rows, (tokens)], which are padded like the ids.
        batch_size, batch_tokens: as `order_batches`.
        shuffle_seed: decides the order in every epoch; without one, rows are in ascending order of
            length.
        replicas: how many equal parts a batch can be cut into.
        fixed_shapes: whether batches have one shape for each of `data.batches.buckets.LENGTHS` that
            occurs: XLA compiles for each shape.
    """

    def __init__(
        self,
        ids: dict[str, tf.RaggedTensor],
        targets: np.ndarray | tf.RaggedTensor,
        batch_size: int,
        batch_tokens: int = 0,
        shuffle_seed: int | None = None,
        replicas: int = 1,
        fixed_shapes: bool = False,
    ):
        self.ids = ids
        self.targets = targets
        if not isinstance(targets, tf.RaggedTensor):
            self.targets = tf.constant(targets, tf.float32)
        self.lengths = ids["token_ids"].row_lengths().numpy()
        self.batch_size, self.batch_tokens = batch_size, batch_tokens
        self.shuffle_seed = shuffle_seed
        self.replicas, self.fixed_shapes = replicas, fixed_shapes
        # The width of a batch of rows as long as this one.
        self.widths = round_up_lengths(self.lengths) if fixed_shapes else self.lengths

    def order(self, epoch: int) -> list[np.ndarray]:
        """Returns the rows of each batch, which follow from the seed and the epoch alone."""
        generator = None
        if self.shuffle_seed is not None:
            generator = np.random.default_rng([self.shuffle_seed, epoch])
        return order_batches(self.widths, self.batch_size, generator, self.batch_tokens)

    def fill_up(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows of a batch, and copies of its last row until the batch has its shape."""
        wanted = len(rows)
        if self.fixed_shapes:
            width = int(self.widths[rows].max())
            wanted = max_rows(width, self.batch_size, self.batch_tokens)
        wanted += -wanted % self.replicas
        return np.concatenate([rows, np.full(wanted - len(rows), rows[-1], rows.dtype)])

    def steps(self, epoch: int) -> int:
        """Returns the number of batches of an epoch; with `batch_tokens`, epochs differ in it."""
        return len(self.order(epoch))

    def padding_share(self, epoch: int = 0) -> float:
        """Returns the share of an epoch's token positions that are padding."""
        order = self.order(epoch)
        positions = sum(len(self.fill_up(rows)) * int(self.widths[rows].max()) for rows in order)
        return 1.0 - int(self.lengths.sum()) / positions if positions else 0.0

    def dataset(self, epoch: int = 0, start: int = 0) -> tf.data.Dataset:
        """Returns the batches of an epoch from number `start` on: ids <int32>, 0 where padded."""
        order = self.order(epoch)[start:]
        filled = [self.fill_up(rows) for rows in order]
        splits = np.cumsum([0, *(len(rows) for rows in filled)])
        values = np.concatenate(filled) if filled else np.zeros(0)
        rows = tf.RaggedTensor.from_row_splits(values.astype(np.int64), splits, validate=False)
        sizes = np.array([len(rows) for rows in order], np.int64)
        return self._pad_batches(tf.data.Dataset.from_tensor_slices((rows, sizes)))

    def _pad_batches(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Pads batches, given by their `rows`, of which those after the first `size` are copies."""

        @without_autograph
        def pad(rows: tf.Tensor, size: tf.Tensor) -> tuple:
            width = None
            if self.fixed_shapes:
                width = tf.reduce_max(tf.gather(self.widths, rows))
            padded = {name: _pad_rows(ragged, rows, width) for name, ragged in self.ids.items()}
            if isinstance(self.targets, tf.RaggedTensor):
                targets = _pad_rows(self.targets, rows, width)
            else:
                targets = tf.gather(self.targets, rows)
            if self.replicas == 1 and not self.fixed_shapes:
                return padded, targets
            weight = tf.cast(tf.size(rows), tf.float32) / tf.cast(size, tf.float32)
            weights = tf.where(tf.range(tf.size(rows, tf.int64)) < size, weight, 0.0)
            return padded, targets, weights

        dataset = batches.map(pad, num_parallel_calls=1, deterministic=True).prefetch(4)
        # With the autotuner, an iterator that is destroyed blocks until the tuner wakes up.
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.with_options(options)


def _pad_rows(ragged: tf.RaggedTensor, rows: tf.Tensor, width: tf.Tensor | None) -> tf.Tensor:
    """Pads rows to [batch, width, ...]; without a width, to that of the longest."""
    ids = tf.gather(ragged, rows).to_tensor()
    if width is None:
        return ids
    missing = tf.cast(width, tf.int32) - tf.shape(ids)[1]
    return tf.pad(ids, [[0, 0], [0, missing], *[[0, 0]] * (ids.shape.rank - 2)])
