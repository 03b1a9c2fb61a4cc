"""How much the candidates of an answer agree: the choice of the least expected loss."""

import tensorflow as tf

from data.text.special_tokens import PADDING

# Of n-grams that are compared: single tokens and pairs.
_ORDERS = (1, 2)


def agreement(ids: tf.Tensor) -> tf.Tensor:
    """Computes how much each candidate shares with the others of its row.

    Samples of a model stand for what could be right. That which is nearest to all of them has the
    least expected loss: minimum Bayes risk (Kumar & Byrne 2004; with samples, Eikema & Aziz 2020,
    "Is MAP Decoding All You Need?"). Nearness is the F1 of the tokens that two candidates share,
    and that of their pairs, on average.

    Args:
        ids: <int32>[batch, candidates, length], END included, `PADDING` after it.

    Returns:
        <float32>[batch, candidates], from 0 to 1; 0 where there is one candidate alone.
    """
    others = tf.maximum(tf.shape(ids)[1] - 1, 1)
    parts = [_shared(_ngrams(ids, order)) for order in _ORDERS]
    # Each shares everything with itself.
    return (tf.add_n(parts) / len(parts) - 1.0) / tf.cast(others, tf.float32)


def _ngrams(ids: tf.Tensor, order: int) -> tf.Tensor:
    """Returns the number of the n-gram that begins at each place, <int64>[batch, candidates,
    length]; 0 where none does."""
    found = numbers = tf.cast(ids, tf.int64)
    for shift in range(1, order):
        # A single token has no pair: its place stays 0, as that after the end.
        later = tf.pad(numbers[..., shift:], [[0, 0], [0, 0], [0, shift]])
        found = tf.where(later == PADDING, tf.cast(PADDING, tf.int64), found * 2**31 + later)
    return found


def _shared(ngrams: tf.Tensor) -> tf.Tensor:
    """Returns the sums over all candidates of the F1 of n-grams, <float32>[batch, candidates]."""
    real = ngrams != PADDING
    counts = tf.reduce_sum(tf.cast(real, tf.float32), axis=-1)

    def share(candidate: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        one, count = candidate
        same = (one[:, None, :, None] == ngrams[:, :, None, :]) & real[:, :, None, :]
        here = tf.reduce_sum(tf.cast(tf.reduce_any(same, axis=3), tf.float32), axis=-1)
        there = tf.reduce_sum(tf.cast(tf.reduce_any(same, axis=2), tf.float32), axis=-1)
        # Two candidates of a single token each have no pairs, and are the same in this.
        total = count[:, None] + counts
        f1 = tf.math.divide_no_nan(here + there, total)
        return tf.reduce_sum(tf.where(total > 0, f1, 1.0), axis=-1)

    # One candidate of each row at a time, against all: all against all would not fit into memory.
    columns = tf.map_fn(
        share,
        (tf.transpose(ngrams, [1, 0, 2]), tf.transpose(counts)),
        fn_output_signature=tf.TensorSpec([None], tf.float32),
    )
    return tf.transpose(columns)
