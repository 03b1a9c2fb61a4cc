"""Texts as streams of ids, cut into windows, for training and measuring language models."""

import numpy as np
import tensorflow as tf

from data.graphs import as_it_stands
from data.text.special_tokens import END, START


class Streams:
    """Batches of windows, epoch by epoch, with the interface of `data.batches.padded.Batches`.

    The windows of all texts, in order, are dealt to `batch_size` rows in equal parts: a row's
    window goes on where that of the batch before has ended, or begins a text. Before each text
    stands START, and END behind it; a row that begins amidst a text reads START, too, in the place
    of the token before.

    Args:
        texts: <int32>[texts, (tokens)].
        batch_size: rows of a batch.
        length: tokens of a window.
        shuffle_seed: another order of texts in each epoch; texts that go on over more windows than
            there are rows begin up to a window later, so that windows end elsewhere. None: neither.
        ends: whether END is to be predicted: not where a text was only cut off.
        labels: <int>[texts], of models with classes, or None.
        context: windows that each row reads, of the text that it begins amidst, before those that
            count; for measuring.
    """

    def __init__(
        self,
        texts: tf.RaggedTensor,
        batch_size: int,
        length: int,
        shuffle_seed: int | None = None,
        ends: bool = True,
        labels: np.ndarray | None = None,
        context: int = 0,
    ):
        lengths = texts.row_lengths().numpy()
        marks = tf.fill([len(lengths), 1], START), tf.fill([len(lengths), 1], END)
        self.ids = tf.concat([marks[0], texts, marks[1]], axis=1).flat_values
        self._counts = lengths + int(ends)
        self._begins = np.cumsum(lengths + 2) - (lengths + 2)
        self._labels = None if labels is None else np.asarray(labels, np.int32)
        self.batch_size, self.length, self.context = batch_size, length, context
        self.shuffle_seed = shuffle_seed

    @property
    def num_tokens(self) -> int:
        """How many are predicted, if nothing is shuffled."""
        return int(self._counts.sum())

    def steps(self, epoch: int) -> int:
        """How many batches an epoch has."""
        return self._batches(epoch)["begin"].shape[0]

    def padding_share(self, epoch: int = 0) -> float:
        """The share of an epoch's positions at which nothing is predicted."""
        batches = self._batches(epoch)
        real = np.where(batches["counts"], batches["end"] - batches["begin"], 0)
        return 1.0 - real.sum() / max(1, real.size * self.length)

    def dataset(self, epoch: int = 0, start: int = 0) -> tf.data.Dataset:
        """The batches of an epoch from number `start` on.

        Returns:
            Pairs of a dict and targets <int32>[batch_size, length], 0 where nothing is to be
            predicted. The dict holds `token_ids` <int32>[batch_size, length], `starts`
            <bool>[batch_size], whether the row's states begin anew, and with labels `labels`
            <int32>[batch_size].
        """
        arrays = {name: array[start:] for name, array in self._batches(epoch).items()}
        places = tf.range(self.length, dtype=tf.int64)

        @as_it_stands
        def window(row):
            at = row["begin"][:, None] + places
            real = at < row["end"][:, None]
            inputs = tf.where(real, tf.gather(self.ids, tf.where(real, at, 0)), 0)
            # Wherever states begin anew; and no row is of padding alone: cuDNN would not take it.
            begun = (places == 0) & row["starts"][:, None]
            inputs = {"token_ids": tf.where(begun, START, inputs), "starts": row["starts"]}
            if "labels" in row:
                inputs["labels"] = row["labels"]
            counted = real & row["counts"][:, None]
            return inputs, tf.where(counted, tf.gather(self.ids, tf.where(real, at + 1, 0)), 0)

        dataset = tf.data.Dataset.from_tensor_slices(arrays)
        dataset = dataset.map(window, num_parallel_calls=1, deterministic=True).prefetch(4)
        # See `data.batches.padded.Batches`.
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.with_options(options)

    def _batches(self, epoch: int) -> dict[str, np.ndarray]:
        """What the windows of each batch are, [steps, batch_size] each: `begin` and `end` in `ids`,
        `starts`, `counts`, `labels`."""
        begin, end, first, text = self._windows(epoch)
        rows = self._rows(text)
        there = rows >= 0
        at = np.where(there, rows, 0)
        before = np.concatenate([np.full((1, self.batch_size), -1), rows[:-1]])
        batches = {
            "begin": np.where(there, begin[at], 0),
            "end": np.where(there, end[at], 0),
            "starts": first[at] | ~there | (before < 0),
            "counts": there & (np.arange(len(rows)) >= self.context)[:, None],
        }
        if self._labels is not None:
            batches["labels"] = np.where(there, self._labels[text[at]], 0)
        return batches

    def _windows(self, epoch: int):
        """Of all windows in order where they begin and end, whether with a text, and which."""
        order = np.arange(len(self._counts))
        begins, counts = self._begins, self._counts
        if self.shuffle_seed is not None:
            generator = np.random.default_rng([self.shuffle_seed, epoch])
            order = generator.permutation(order)
            later = generator.integers(self.length, size=len(order))
            later = np.where(counts > self.length * self.batch_size, later, 0)
            begins, counts = begins + later, counts - later
        begins, counts = begins[order], counts[order]
        each = -(-counts // self.length)
        text = np.repeat(np.arange(len(order)), each)
        number = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        begin = begins[text] + number * self.length
        end = np.minimum(begin + self.length, (begins + counts)[text])
        return begin, end, number == 0, order[text]

    def _rows(self, text: np.ndarray) -> np.ndarray:
        """The windows of each batch, <int>[steps, batch_size]; -1 for none."""
        total = len(text)
        steps = -(-total // self.batch_size)
        first = np.arange(self.batch_size) * steps
        rows = first + np.arange(-self.context, steps)[:, None]
        rows = np.where((rows >= 0) & (rows < total), rows, -1)
        if self.context and total:
            # What a row reads before its part is of the text that the part begins amidst.
            own = text[np.minimum(first, total - 1)]
            foreign = (text[np.maximum(rows, 0)] != own) | (first >= total)
            rows = np.where(foreign & (np.arange(len(rows)) < self.context)[:, None], -1, rows)
        return rows
