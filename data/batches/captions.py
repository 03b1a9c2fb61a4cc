"""Padded batches of pictures, each with all of its captions."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from data.batches.buckets import order_batches, round_up_lengths
from data.batches.padded import Batches
from data.batches.pictures import shift_pictures
from data.graphs import without_autograph
from data.text.special_tokens import END, START

# Of an epoch: so many seeds lie between one epoch's and the next one's.
_MOST_BATCHES = 2**32


class CaptionBatches(Batches):
    """Padded batches of `(inputs, targets)` of pictures, like those of
    `data.batches.padded.Batches`: what is computed of a picture serves all of its captions.

    The inputs are the array of the pictures and `target_ids` <int32>[batch, captions, steps], START
    and the caption; the targets <int32>[batch, captions * steps] are the caption and END. A picture
    with fewer captions than others has empty ones, 0 throughout.

    Args:
        captions: <int32>[pictures, (captions), (length)].
        array: [pictures, ...], pixels or features, in memory or mapped into it.
        name: of the array among the inputs.
        batch_size: pictures of a batch.
        batch_tokens: tokens of all captions of a batch, padding included, instead of `batch_size`;
            0: by pictures.
        shuffle_seed, replicas, fixed_shapes: as `Batches` takes them.
        mixed: whether pictures come together by chance, as batch normalisation needs it; else those
            whose longest captions are of like length, so that less is padding.
        shift: the largest share of its sides by which a picture is moved, see
            `data.batches.pictures.shift_pictures`; 0 for arrays that are no pictures.
        mirrored: the array of the pictures left for right, of which each epoch reads half, by
            chance; None to read all as they are.
    """

    def __init__(
        self,
        captions: tf.RaggedTensor,
        array: np.ndarray,
        name: str,
        batch_size: int,
        batch_tokens: int = 0,
        shuffle_seed: int | None = None,
        replicas: int = 1,
        fixed_shapes: bool = False,
        mixed: bool = False,
        shift: float = 0.0,
        mirrored: np.ndarray | None = None,
    ):
        super().__init__(
            {"token_ids": captions},
            captions,
            batch_size,
            batch_tokens,
            shuffle_seed,
            replicas,
            fixed_shapes,
        )
        self.array, self.name, self.mixed, self.shift = array, name, mixed, shift
        self.mirrored = mirrored
        # Of each picture: its captions, and the tokens of the longest, with START or END.
        self.counts = captions.row_lengths().numpy()
        longest = tf.reduce_max(captions.row_lengths(axis=2), axis=1)
        # A picture may have lost all of its captions, where they were too long.
        self.longest = 1 + tf.maximum(longest, 0).numpy()
        if fixed_shapes:
            self.longest = round_up_lengths(self.longest)
        self.lengths = captions.row_lengths(axis=2).values.numpy() + 1
        self.most = int(self.counts.max(initial=1))
        self.widths = self.most * self.longest

    def order(self, epoch: int) -> list[np.ndarray]:
        if not self.mixed or self.shuffle_seed is None or self.batch_tokens:
            return super().order(epoch)
        generator = np.random.default_rng([self.shuffle_seed, epoch])
        return order_batches(np.ones(len(self.counts), np.int64), self.batch_size, generator)

    def padding_share(self, epoch: int = 0) -> float:
        order = map(self.fill_up, self.order(epoch))
        positions = sum(
            len(rows) * int(self.counts[rows].max()) * int(self.longest[rows].max())
            for rows in order
        )
        return 1.0 - int(self.lengths.sum()) / positions if positions else 0.0

    def dataset(self, epoch: int = 0, start: int = 0) -> tf.data.Dataset:
        batches = super().dataset(epoch, start).enumerate(start)
        return batches.map(self._reader(epoch), num_parallel_calls=1).prefetch(2)

    def _pad_batches(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        @without_autograph
        def pad(rows: tf.Tensor, size: tf.Tensor) -> tuple:
            captions = tf.gather(self.ids["token_ids"], rows)
            before = _add_token(captions, START, first=True).to_tensor()
            after = _add_token(captions, END, first=False).to_tensor()
            if self.fixed_shapes:
                wanted = tf.reduce_max(tf.gather(self.longest, rows))
                steps = tf.cast(wanted, tf.int32) - tf.shape(before)[2]
                missing = [[0, 0], [0, self.most - tf.shape(before)[1]], [0, steps]]
                before, after = tf.pad(before, missing), tf.pad(after, missing)
            inputs = {"rows": rows, "target_ids": before}
            targets = tf.reshape(after, [tf.shape(after)[0], -1])
            if self.replicas == 1 and not self.fixed_shapes:
                return inputs, targets
            weight = tf.cast(tf.size(rows), tf.float32) / tf.cast(size, tf.float32)
            return inputs, targets, tf.where(tf.range(tf.size(rows, tf.int64)) < size, weight, 0.0)

        padded = batches.map(pad, num_parallel_calls=1, deterministic=True)
        options = tf.data.Options()
        options.autotune.enabled = False
        return padded.with_options(options)

    def _reader(self, epoch: int) -> Callable:
        seed = self.shuffle_seed or 0
        turned = np.zeros(len(self.counts), bool)
        if self.mirrored is not None:
            turned = np.random.default_rng([seed, epoch]).random(len(turned)) < 0.5

        def take(rows: np.ndarray) -> np.ndarray:
            found = self.array[rows].astype(np.float32)
            if self.mirrored is not None:
                found[turned[rows]] = self.mirrored[rows[turned[rows]]]
            return found

        @without_autograph
        def add_pictures(number: tf.Tensor, batch: tuple) -> tuple:
            inputs, *rest = batch
            (found,) = tf.numpy_function(take, [inputs["rows"]], [tf.float32])
            found = tf.ensure_shape(found, [None, *self.array.shape[1:]])
            if self.shift:
                # The same shifts whenever the training comes here.
                place = tf.stack([tf.constant(seed, tf.int64), epoch * _MOST_BATCHES + number])
                found = shift_pictures(found, self.shift, place)
            return {self.name: found, "target_ids": inputs["target_ids"]}, *rest

        return add_pictures


def _add_token(captions: tf.RaggedTensor, token: int, first: bool) -> tf.RaggedTensor:
    """Puts a token before or behind each caption, <int32>[pictures, (captions), (length)]."""
    flat = captions.values
    column = tf.RaggedTensor.from_tensor(tf.fill([flat.nrows(), 1], token))
    parts = [column, flat] if first else [flat, column]
    return captions.with_values(tf.concat(parts, axis=1))
