"""Pictures as arrays of pixels: decoded, cut to a square, of one size."""

import os
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from data.errors import UserError
from data.graphs import without_autograph

_CHUNK = 64


class Readable(Protocol):
    """A picture."""

    def read(self) -> bytes:
        """Returns it as an encoded JPEG or PNG of three channels.

        Raises:
            UserError: it cannot be read.
        """


def decode_picture(encoded: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes a picture, cuts the longer side at both ends, and scales the square, in stock
    TensorFlow ops.

    Args:
        encoded: <string>[], JPEG, PNG, GIF (its first picture) or BMP.
        size: of the sides, in pixels.

    Returns:
        <uint8>[size, size, 3].
    """
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    sides = tf.shape(pixels)[:2]
    side = tf.reduce_min(sides)
    top, left = tf.unstack((sides - side) // 2)
    square = tf.image.resize(
        pixels[top : top + side, left : left + side], (size, size), antialias=True
    )
    return tf.cast(tf.clip_by_value(tf.round(square), 0.0, 255.0), tf.uint8)


def decode_pictures(encoded: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes pictures <string>[batch] to <uint8>[batch, size, size, 3], see `decode_picture`."""
    return tf.map_fn(
        without_autograph(lambda each: decode_picture(each, size)),
        encoded,
        fn_output_signature=tf.TensorSpec([size, size, 3], tf.uint8),
    )


def read_pixels(pictures: Sequence[Readable], size: int) -> Iterator[np.ndarray]:
    """Reads and decodes pictures in parallel.

    Args:
        pictures: any number.
        size: of the sides.

    Yields:
        <uint8>[chunk, size, size, 3], one chunk after the other.

    Raises:
        UserError: one cannot be read.
    """
    mistakes: list[UserError] = []

    def read(number: int) -> bytes:
        try:
            return pictures[number].read()
        except UserError as mistake:
            mistakes.append(mistake)
            raise

    @without_autograph
    def load(number: tf.Tensor) -> tf.Tensor:
        encoded = tf.numpy_function(read, [number], tf.string)
        return decode_picture(tf.ensure_shape(encoded, []), size)

    numbers = tf.data.Dataset.range(len(pictures))
    loaded = numbers.map(load, num_parallel_calls=os.cpu_count(), deterministic=True)
    try:
        yield from loaded.batch(_CHUNK).prefetch(1).as_numpy_iterator()
    except tf.errors.OpError as error:
        # TensorFlow makes errors of its own out of all that is raised inside of a pipeline.
        mistake = mistakes[0] if mistakes else UserError(f"a picture is damaged: {error.message}")
        raise mistake from None


def shift_pictures(images: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Moves each picture by chance, down or up and right or left; its border fills what is free.

    Args:
        images: [batch, size, size, channels].
        share: the largest shift, of the sides.
        seed: <int64>[2].
    """
    batch, size = tf.shape(images)[0], images.shape[1]
    most = round(share * size)
    moves = tf.random.stateless_uniform([2, batch, 1], seed, -most, most + 1, tf.int32)
    rows, columns = tf.unstack(tf.clip_by_value(tf.range(size) + moves, 0, size - 1))
    moved = tf.gather(images, rows, axis=1, batch_dims=1)
    return tf.gather(moved, columns, axis=2, batch_dims=1)
