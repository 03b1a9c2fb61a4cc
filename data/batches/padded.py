"""Examples to batches: tokenised once, rows of like length together, no autotuner."""

import numpy as np
import tensorflow as tf

from data.batches.buckets import batch_order, few_lengths, rows_of_shape
from data.graphs import as_it_stands, in_chunks
from data.text.preprocessor import TextPreprocessor


def describe_cut(preprocessor: TextPreprocessor, texts: list[str]) -> str:
    """A line on how many texts are longer than what the preprocessor keeps of them."""
    counts = in_chunks(lambda chunk: preprocessor.count_cut(chunk)[None])(texts)
    longer, tokens, dropped = counts.numpy().sum(axis=0).tolist()
    return (
        f"cut: {longer:,} of {len(texts):,} texts are longer than {preprocessor.max_length:,} "
        f"tokens; {dropped / max(tokens, 1):.1%} of the tokens dropped"
    )


class Batches:
    """Padded batches of `(ids, targets)`, epoch by epoch.

    With several replicas or fixed shapes batches are filled up with copies of a row of their own,
    and are `(ids, targets, weights)`: copies weigh nothing, and the mean of the weights is 1, so
    that a mean over the rows stays what it is without them.

    Args:
        ids: of all rows; `token_ids` gives the lengths.
        targets: <float32>[rows, ...], or <int32>[rows, (tokens)], which is padded like the ids.
        batch_size, batch_tokens: as `batch_order`.
        shuffle_seed: the order of all epochs follows from it; None keeps ascending length.
        replicas: a batch is cut into as many equal parts.
        fixed_shapes: whether batches have few shapes, for XLA, which compiles for each: one for
            each of `data.batches.buckets.LENGTHS` that occurs.
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
        # What a row takes in a batch of its like.
        self.widths = few_lengths(self.lengths) if fixed_shapes else self.lengths

    def order(self, epoch: int) -> list[np.ndarray]:
        """The rows of each batch; they follow from the seed and the epoch alone."""
        generator = None
        if self.shuffle_seed is not None:
            generator = np.random.default_rng([self.shuffle_seed, epoch])
        return batch_order(self.widths, self.batch_size, generator, self.batch_tokens)

    def filled(self, rows: np.ndarray) -> np.ndarray:
        """The rows of a batch, and then copies of its last until the batch has its shape."""
        wanted = len(rows)
        if self.fixed_shapes:
            width = int(self.widths[rows].max())
            wanted = rows_of_shape(width, self.batch_size, self.batch_tokens)
        wanted += -wanted % self.replicas
        return np.concatenate([rows, np.full(wanted - len(rows), rows[-1], rows.dtype)])

    def steps(self, epoch: int) -> int:
        """How many batches an epoch has; with `batch_tokens` not all have the same."""
        return len(self.order(epoch))

    def padding_share(self, epoch: int = 0) -> float:
        """The share of an epoch's token positions that are padding."""
        order = self.order(epoch)
        positions = sum(len(self.filled(rows)) * int(self.widths[rows].max()) for rows in order)
        return 1.0 - int(self.lengths.sum()) / positions if positions else 0.0

    def dataset(self, epoch: int = 0, start: int = 0) -> tf.data.Dataset:
        """The batches of an epoch from number `start` on, ids <int32>, 0 where padded."""
        order = self.order(epoch)[start:]
        filled = [self.filled(rows) for rows in order]
        splits = np.cumsum([0, *(len(rows) for rows in filled)])
        values = np.concatenate(filled) if filled else np.zeros(0)
        rows = tf.RaggedTensor.from_row_splits(values.astype(np.int64), splits, validate=False)
        sizes = np.array([len(rows) for rows in order], np.int64)
        return self._padded(tf.data.Dataset.from_tensor_slices((rows, sizes)))

    def _padded(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Batches of `rows`, the first `size` of which are no copies."""

        @as_it_stands
        def pad(rows, size):
            width = None
            if self.fixed_shapes:
                width = tf.reduce_max(tf.gather(self.widths, rows))
            padded = {name: _padded(rag, rows, width) for name, rag in self.ids.items()}
            if isinstance(self.targets, tf.RaggedTensor):
                targets = _padded(self.targets, rows, width)
            else:
                targets = tf.gather(self.targets, rows)
            if self.replicas == 1 and not self.fixed_shapes:
                return padded, targets
            weight = tf.cast(tf.size(rows), tf.float32) / tf.cast(size, tf.float32)
            weights = tf.where(tf.range(tf.size(rows, tf.int64)) < size, weight, 0.0)
            return padded, targets, weights

        dataset = batches.map(pad, num_parallel_calls=1, deterministic=True).prefetch(4)
        # An iterator with the autotuner on blocks when it is destroyed until the tuner wakes up.
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.with_options(options)


def _padded(ragged: tf.RaggedTensor, rows: tf.Tensor, width: tf.Tensor | None) -> tf.Tensor:
    """[batch, width, ...], 0 where padded; without a width, as wide as the longest row."""
    ids = tf.gather(ragged, rows).to_tensor()
    if width is None:
        return ids
    missing = tf.cast(width, tf.int32) - tf.shape(ids)[1]
    return tf.pad(ids, [[0, 0], [0, missing], *[[0, 0]] * (ids.shape.rank - 2)])
