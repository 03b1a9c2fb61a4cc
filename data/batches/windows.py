"""Overlapping windows of long texts, so that every token is read between its neighbours."""

from typing import NamedTuple

import tensorflow as tf


class Windows(NamedTuple):
    """Where the windows of a batch of texts begin and end, all <int64>[windows].

    Attributes:
        begin, end: a window reads the tokens from `begin` to before `end`, counted over all texts.
        keep_from, keep_to: the tokens that it answers; together the windows answer every token
            once, in order.
    """

    begin: tf.Tensor
    end: tf.Tensor
    keep_from: tf.Tensor
    keep_to: tf.Tensor


def cut_windows(lengths: tf.Tensor, size: int, overlap: int) -> Windows:
    """Cuts texts into as few windows as possible.

    Args:
        lengths: <int64>[texts], tokens of each; a text without tokens has no window.
        size: most tokens of a window.
        overlap: tokens at either end of a window that the neighbouring window answers.

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
    # The last window is moved back until it is full: it reads more of what is left of it.
    begin = tf.minimum(number * stride, tf.maximum(length - size, 0))
    inner = number * stride + overlap
    return Windows(
        text_begin + begin,
        text_begin + tf.minimum(begin + size, length),
        text_begin + tf.where(number == 0, tf.zeros_like(inner), inner),
        text_begin + tf.where(number == count - 1, length, inner + stride),
    )
