"""Long texts in pieces that overlap, so that each of their tokens is read between neighbours."""

from typing import NamedTuple

import tensorflow as tf


class Windows(NamedTuple):
    """Pieces of the tokens of a batch of texts, all <int64>[windows].

    Attributes:
        begin, end: positions among the tokens of all texts, joined: a window reads from `begin` to
            before `end`.
        keep_from, keep_to: what it answers; of all windows that is every token, in order, once.
    """

    begin: tf.Tensor
    end: tf.Tensor
    keep_from: tf.Tensor
    keep_to: tf.Tensor


def windows_of(lengths: tf.Tensor, size: int, overlap: int) -> Windows:
    """Cuts texts into as few windows as it takes.

    Args:
        lengths: <int64>[texts], tokens of each; those without any have no window.
        size: tokens of a window, at most.
        overlap: tokens at each end of a window that its neighbour answers.

    Raises:
        ValueError: the overlaps leave nothing of a window.
    """
    stride = size - 2 * overlap
    if stride < 1:
        raise ValueError(f"overlap {overlap} leaves nothing of windows of {size} tokens")
    more = -(-(lengths - size) // stride)
    counts = tf.where(lengths > 0, 1 + tf.maximum(more, 0), tf.zeros_like(more))
    number = tf.ragged.range(counts).flat_values
    length, count = tf.repeat(lengths, counts), tf.repeat(counts, counts)
    text_begin = tf.repeat(tf.cumsum(lengths, exclusive=True), counts)
    # The last one is moved back until it is full: more to its left is read.
    begin = tf.minimum(number * stride, tf.maximum(length - size, 0))
    inner = number * stride + overlap
    return Windows(
        text_begin + begin,
        text_begin + tf.minimum(begin + size, length),
        text_begin + tf.where(number == 0, tf.zeros_like(inner), inner),
        text_begin + tf.where(number == count - 1, length, inner + stride),
    )
