"""Padded batches of captions of like length, with the pictures that they describe."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from data.batches.padded import Batches
from data.batches.parallel import append_end, prepend_start
from data.batches.pictures import shift_pictures
from data.graphs import without_autograph

# Of an epoch: so many seeds lie between one epoch's and the next one's.
_MOST_BATCHES = 2**32


class CaptionBatches(Batches):
    """Padded batches of `(inputs, targets)` of captions, like those of
    `data.batches.padded.Batches`.

    The inputs are `target_ids`, START and the caption, and the array of the pictures; the targets
    are the caption and END.

    Args:
        captions: <int32>[rows, (length)], from `data.text.tokenizer.Tokenizer.encode`.
        pictures: <int64>[rows], the place of each caption's picture in the array.
        array: [pictures, ...], pixels or features, in memory or mapped into it.
        name: of the array among the inputs.
        batch_size, batch_tokens, shuffle_seed, replicas, fixed_shapes: as `Batches` takes them.
        shift: the largest share of its sides by which a picture is moved, see
            `data.batches.pictures.shift_pictures`; 0 for arrays that are no pictures.
    """

    def __init__(
        self,
        captions: tf.RaggedTensor,
        pictures: np.ndarray,
        array: np.ndarray,
        name: str,
        batch_size: int,
        batch_tokens: int = 0,
        shuffle_seed: int | None = None,
        replicas: int = 1,
        fixed_shapes: bool = False,
        shift: float = 0.0,
    ):
        ids = {"token_ids": prepend_start(captions)}
        # Padded like the ids, each row has its picture at its first step.
        ids["pictures"] = ids["token_ids"].with_values(
            tf.repeat(tf.constant(pictures, tf.int32), ids["token_ids"].row_lengths())
        )
        super().__init__(
            ids,
            append_end(captions),
            batch_size,
            batch_tokens,
            shuffle_seed,
            replicas,
            fixed_shapes,
        )
        self.array, self.name, self.shift = array, name, shift

    def dataset(self, epoch: int = 0, start: int = 0) -> tf.data.Dataset:
        batches = super().dataset(epoch, start).enumerate(start)
        return batches.map(self._reader(epoch), num_parallel_calls=1).prefetch(2)

    def _reader(self, epoch: int) -> Callable:
        seed = self.shuffle_seed or 0

        @without_autograph
        def add_pictures(number: tf.Tensor, batch: tuple) -> tuple:
            inputs, *rest = batch
            rows = inputs["pictures"][:, 0]
            (found,) = tf.numpy_function(self._take, [rows], [tf.float32])
            found = tf.ensure_shape(found, [None, *self.array.shape[1:]])
            if self.shift:
                # The same shifts whenever the training comes here.
                place = tf.stack([tf.constant(seed, tf.int64), epoch * _MOST_BATCHES + number])
                found = shift_pictures(found, self.shift, place)
            return {self.name: found, "target_ids": inputs["token_ids"]}, *rest

        return add_pictures

    def _take(self, rows: np.ndarray) -> np.ndarray:
        return self.array[rows].astype(np.float32)
