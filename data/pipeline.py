"""Examples to batches: tokenised once, rows of like length together, no autotuner."""

import numpy as np
import tensorflow as tf

from data.preprocessor import TextPreprocessor

_CHUNK = 1024
# Rows are sorted by length within pools of this many batches: little padding, much shuffling.
_POOL = 50


def vectorize(preprocessor: TextPreprocessor, texts: list[str]) -> dict[str, tf.RaggedTensor]:
    """The ids of all texts, in memory, tokenised in chunks. Shapes as `TextPreprocessor.ragged`."""
    ids_of = tf.function(preprocessor.ragged, input_signature=[tf.TensorSpec([None], tf.string)])
    chunks = [
        ids_of(tf.constant(texts[start : start + _CHUNK], tf.string))
        for start in range(0, max(len(texts), 1), _CHUNK)
    ]
    return {name: tf.concat([chunk[name] for chunk in chunks], axis=0) for name in chunks[0]}


def batch_order(
    lengths: np.ndarray, batch_size: int, generator: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Row numbers of each batch of one epoch, rows of like length together.

    Args:
        lengths: <int>[rows], tokens of each row.
        batch_size: rows a batch; the last may be smaller.
        generator: shuffles rows and batches; None keeps ascending length.
    """
    if generator is None:
        rows = np.argsort(lengths, kind="stable")
        return _cut(rows, batch_size)
    rows = generator.permutation(len(lengths))
    batches = []
    for pool in _cut(rows, batch_size * _POOL):
        batches += _cut(pool[np.argsort(lengths[pool], kind="stable")], batch_size)
    return [batches[i] for i in generator.permutation(len(batches))]


def _cut(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def batches(
    ids: dict[str, tf.RaggedTensor],
    targets: np.ndarray,
    batch_size: int,
    shuffle_seed: int | None = None,
) -> tf.data.Dataset:
    """Padded batches of `(ids, targets)`; each pass over a shuffled one has a new order.

    Args:
        ids: from `vectorize`; `token_ids` gives the lengths.
        targets: <float32>[rows, ...].
        batch_size: rows a batch.
        shuffle_seed: the order of all passes follows from it; None keeps ascending length.

    Returns:
        A dataset of known cardinality; ids are <int32>, 0 where padded.
    """
    lengths = ids["token_ids"].row_lengths().numpy()
    targets = tf.constant(targets, tf.float32)
    generator = None if shuffle_seed is None else np.random.default_rng(shuffle_seed)

    def epoch():
        yield from batch_order(lengths, batch_size, generator)

    def pad(rows):
        padded = {name: tf.gather(rag, rows).to_tensor() for name, rag in ids.items()}
        return padded, tf.gather(targets, rows)

    dataset = tf.data.Dataset.from_generator(
        epoch, output_signature=tf.TensorSpec([None], tf.int64)
    )
    dataset = dataset.map(pad, num_parallel_calls=1, deterministic=True).prefetch(4)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(-(-len(lengths) // batch_size)))
    # An iterator with the autotuner on blocks when it is destroyed until the tuner wakes up.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
