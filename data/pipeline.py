"""Examples to batches: tokenised once, rows of like length together, no autotuner."""

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from data.buckets import batch_order, padding_share
from data.preprocessor import TextPreprocessor

_CHUNK = 1024
_STRINGS = tf.TensorSpec([None], tf.string)


def vectorize(preprocessor: TextPreprocessor, texts: list[str]) -> dict[str, tf.RaggedTensor]:
    """The ids of all texts, in memory, tokenised in chunks. Shapes as `TextPreprocessor.ragged`."""
    ids_of = tf.function(preprocessor.ragged, input_signature=[_STRINGS])
    chunks = [ids_of(chunk) for chunk in _chunks(texts)]
    return {name: tf.concat([chunk[name] for chunk in chunks], axis=0) for name in chunks[0]}


def describe_cut(preprocessor: TextPreprocessor, texts: list[str]) -> str:
    """A line on how many texts are longer than what the preprocessor keeps of them."""
    count = tf.function(preprocessor.count_cut, input_signature=[_STRINGS])
    counts = [count(chunk).numpy() for chunk in _chunks(texts)]
    longer, tokens, dropped = (int(number) for number in sum(counts))
    return (
        f"cut: {longer:,} of {len(texts):,} texts are longer than {preprocessor.max_length:,} "
        f"tokens; {dropped / max(tokens, 1):.1%} of the tokens dropped"
    )


def _chunks(texts: list[str]) -> Iterator[tf.Tensor]:
    """<string>[at most _CHUNK] each, at least one."""
    for start in range(0, max(len(texts), 1), _CHUNK):
        yield tf.constant(texts[start : start + _CHUNK], tf.string)


class Batches:
    """Padded batches of `(ids, targets)`, epoch by epoch.

    Args:
        ids: from `vectorize`; `token_ids` gives the lengths.
        targets: <float32>[rows, ...].
        batch_size, batch_tokens: as `batch_order`.
        shuffle_seed: the order of all epochs follows from it; None keeps ascending length.
    """

    def __init__(
        self,
        ids: dict[str, tf.RaggedTensor],
        targets: np.ndarray,
        batch_size: int,
        batch_tokens: int = 0,
        shuffle_seed: int | None = None,
    ):
        self.ids = ids
        self.targets = tf.constant(targets, tf.float32)
        self.lengths = ids["token_ids"].row_lengths().numpy()
        self.batch_size, self.batch_tokens = batch_size, batch_tokens
        self.shuffle_seed = shuffle_seed

    def order(self, epoch: int) -> list[np.ndarray]:
        """The rows of each batch; they follow from the seed and the epoch alone."""
        generator = None
        if self.shuffle_seed is not None:
            generator = np.random.default_rng([self.shuffle_seed, epoch])
        return batch_order(self.lengths, self.batch_size, generator, self.batch_tokens)

    def steps(self, epoch: int) -> int:
        """How many batches an epoch has; with `batch_tokens` not all have the same."""
        return len(self.order(epoch))

    def padding_share(self, epoch: int = 0) -> float:
        """The share of an epoch's token positions that are padding."""
        return padding_share(self.lengths, self.order(epoch))

    def dataset(self, epoch: int = 0, start: int = 0) -> tf.data.Dataset:
        """The batches of an epoch from number `start` on, ids <int32>, 0 where padded."""
        order = self.order(epoch)[start:]
        splits = np.cumsum([0, *(len(rows) for rows in order)])
        values = np.concatenate(order) if order else np.zeros(0, np.int64)
        rows = tf.RaggedTensor.from_row_splits(values.astype(np.int64), splits, validate=False)
        return self._padded(tf.data.Dataset.from_tensor_slices(rows))

    def stream(self) -> tf.data.Dataset:
        """The batches of epoch 0, of epoch 1, and so on without end.

        `fit` counts the same number of steps, `steps(0)`, for each of its epochs; with
        `batch_tokens` a pass over the rows can be a few batches more or less.
        """
        batches = tf.data.Dataset.from_generator(
            lambda: (rows for epoch in itertools.count() for rows in self.order(epoch)),
            output_signature=tf.TensorSpec([None], tf.int64),
        )
        return self._padded(batches)

    def _padded(self, rows: tf.data.Dataset) -> tf.data.Dataset:
        def pad(rows):
            padded = {name: tf.gather(rag, rows).to_tensor() for name, rag in self.ids.items()}
            return padded, tf.gather(self.targets, rows)

        dataset = rows.map(pad, num_parallel_calls=1, deterministic=True).prefetch(4)
        # An iterator with the autotuner on blocks when it is destroyed until the tuner wakes up.
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.with_options(options)
