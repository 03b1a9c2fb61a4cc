"""Streams of token ids, cut into windows, for training and measuring language models."""

import numpy as np
import tensorflow as tf

from data.graphs import without_autograph
from data.text.special_tokens import END, START


class Streams:
    """Batches of windows, epoch by epoch, with the interface of `data.batches.padded.Batches`.

    The windows of all texts, in order, are dealt to `batch_size` rows in equal parts: a row's
    window continues that of the batch before, or begins a text. Each text has START before it and
    END behind it; a row that begins in the middle of a text reads START instead of the token
    before.

    Args:
        texts: <int32>[texts, (tokens)].
        batch_size: rows of a batch.
        length: tokens of a window.
        shuffle_seed: decides the order of the texts in each epoch. Texts of more windows than there
            are rows then begin up to a window later, so that windows end elsewhere in each epoch.
            None for the order given, without delay.
        ends: whether END is to be predicted; not where a text was only cut off.
        labels: <int>[texts], of models with classes, or None.
        context: for measuring, windows of the same text that each row reads before the first one
            that counts.
        backward: whether a batch has twice the rows: in the second half are the same texts, each
            from its end on.
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
        backward: bool = False,
    ):
        lengths = texts.row_lengths().numpy()
        marks = tf.fill([len(lengths), 1], START), tf.fill([len(lengths), 1], END)
        directions = [texts, texts[:, ::-1]] if backward else [texts]
        ids = [tf.concat([marks[0], each, marks[1]], axis=1).flat_values for each in directions]
        self.ids = tf.concat(ids, axis=0)
        # Where the tokens of each direction begin: those of a text are at the same distance.
        self._offsets = [number * int(ids[0].shape[0]) for number in range(len(ids))]
        self._counts = lengths + int(ends)
        self._begins = np.cumsum(lengths + 2) - (lengths + 2)
        self._labels = None if labels is None else np.asarray(labels, np.int32)
        self.batch_size, self.length, self.context = batch_size, length, context
        self.shuffle_seed = shuffle_seed

    @property
    def num_tokens(self) -> int:
        """How many tokens are predicted in each direction, if nothing is shuffled."""
        return int(self._counts.sum())

    @property
    def counts(self) -> np.ndarray:
        """How many tokens of each text are predicted, <int>[texts]."""
        return self._counts

    def texts_of_windows(self) -> np.ndarray:
        """Returns the text of each window that counts, <int>[steps, batch_size], if nothing is
        shuffled; -1 for the others."""
        *_, text = self._windows(0)
        rows = self._rows(text)
        counted = (rows >= 0) & (np.arange(len(rows)) >= self.context)[:, None]
        return np.where(counted, text[np.where(rows >= 0, rows, 0)], -1)

    def steps(self, epoch: int) -> int:
        """Returns the number of batches of an epoch."""
        return self._batches(epoch)["begin"].shape[0]

    def padding_share(self, epoch: int = 0) -> float:
        """Returns the share of an epoch's positions at which nothing is predicted."""
        batches = self._batches(epoch)
        real = np.where(batches["counts"], batches["end"] - batches["begin"], 0)
        return 1.0 - real.sum() / max(1, real.size * self.length)

    def dataset(self, epoch: int = 0, start: int = 0) -> tf.data.Dataset:
        """Returns the batches of an epoch from number `start` on.

        Returns:
            Pairs of a dict and targets <int32>[rows, length], 0 where nothing is to be predicted.
            The dict holds `token_ids` <int32>[rows, length], `starts` <bool>[rows], whether the
            row's states are reset, and with labels `labels` <int32>[rows]. `rows` is `batch_size`,
            or twice that with `backward`.
        """
        batches = {name: array[start:] for name, array in self._batches(epoch).items()}
        directions = [
            {**batches, **{name: batches[name] + offset for name in ("begin", "end")}}
            for offset in self._offsets
        ]
        arrays = {
            name: np.concatenate([each[name] for each in directions], axis=1) for name in batches
        }
        places = tf.range(self.length, dtype=tf.int64)

        @without_autograph
        def window(row: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            at = row["begin"][:, None] + places
            real = at < row["end"][:, None]
            inputs = tf.where(real, tf.gather(self.ids, tf.where(real, at, 0)), 0)
            # START wherever states are reset, so that no row is all padding: cuDNN would refuse it.
            begun = (places == 0) & row["starts"][:, None]
            inputs = {"token_ids": tf.where(begun, START, inputs), "starts": row["starts"]}
            if "labels" in row:
                inputs["labels"] = row["labels"]
            counted = real & row["counts"][:, None]
            return inputs, tf.where(counted, tf.gather(self.ids, tf.where(real, at + 1, 0)), 0)

        dataset = tf.data.Dataset.from_tensor_slices(arrays)
        dataset = dataset.map(window, num_parallel_calls=1, deterministic=True).prefetch(4)
        # As in `data.batches.padded.Batches`.
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.with_options(options)

    def _batches(self, epoch: int) -> dict[str, np.ndarray]:
        """Returns the windows of each batch: `begin` and `end` in `ids`, `starts`, `counts` and
        `labels`, [steps, batch_size] each."""
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

    def _windows(self, epoch: int) -> tuple[np.ndarray, ...]:
        """Returns where all windows in order begin and end, whether they are the first of a text,
        and of which text."""
        order = np.arange(len(self._counts))
        begins, counts = self._begins, self._counts
        if self.shuffle_seed is not None:
            generator = np.random.default_rng([self.shuffle_seed, epoch])
            order = generator.permutation(order)
            later = generator.integers(self.length, size=len(order))
            later = np.where(counts > self.length * self.batch_size, later, 0)
            begins, counts = begins + later, counts - later
        begins, counts = begins[order], counts[order]
        windows = -(-counts // self.length)
        text = np.repeat(np.arange(len(order)), windows)
        number = np.arange(windows.sum()) - np.repeat(np.cumsum(windows) - windows, windows)
        begin = begins[text] + number * self.length
        end = np.minimum(begin + self.length, (begins + counts)[text])
        return begin, end, number == 0, order[text]

    def _rows(self, text: np.ndarray) -> np.ndarray:
        """Returns the windows of each batch, <int>[steps, batch_size]; -1 for none."""
        total = len(text)
        steps = -(-total // self.batch_size)
        first = np.arange(self.batch_size) * steps
        rows = first + np.arange(-self.context, steps)[:, None]
        rows = np.where((rows >= 0) & (rows < total), rows, -1)
        if self.context and total:
            # The context of a row is of the text in whose middle the row begins.
            own = text[np.minimum(first, total - 1)]
            foreign = (text[np.maximum(rows, 0)] != own) | (first >= total)
            rows = np.where(foreign & (np.arange(len(rows)) < self.context)[:, None], -1, rows)
        return rows
