"""Records gradient norms: in the history, as a curve, and for TensorBoard."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from apps.runs.contents import GRADIENT_NORMS, LOGS
from apps.runs.folder import read_rows, write_rows
from apps.runs.tensorflow_files import tensorflow_writing
from apps.training.progress import Progress


class GradientLog(keras.callbacks.Callback):
    """Adds an epoch's gradient norms to its logs and its curve to `gradient_norms.csv`; the mean
    of each layer goes to TensorBoard.

    The norms of the current epoch are in the optimizer's variables, and its part of the file is
    written again: a training that is resumed within an epoch leaves the same file.

    Args:
        folder: of the training.
        progress: of the same.
    """

    def __init__(self, folder: Path, progress: Progress) -> None:
        super().__init__()
        self.folder, self.progress = folder, progress

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if not self.progress.batch and (norms := self._norms()) is not None:
            norms.reset()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        assert logs is not None  # Keras passes what it has measured
        logs.update(self.write())

    def write(self) -> dict[str, float]:
        """Writes the curve of the current epoch, even if that is interrupted, and returns its
        metrics."""
        if (norms := self._norms()) is None:
            return {}
        metrics, curve = norms.read()
        if curve:
            self._write_curve(curve)
            self._summarize(curve, norms.layers)
        return metrics

    def _norms(self) -> Any:
        if self.model is None:
            return None
        return self._optimizer().norms

    def _optimizer(self) -> keras.optimizers.Optimizer:
        # Keras' loss scale wraps the optimizer that does the work.
        return getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)

    def _write_curve(self, curve: list[dict]) -> None:
        path, epoch = self.folder / GRADIENT_NORMS, self.progress.epoch
        # Columns are matched by position: the name of a layer may depend on what else a process
        # has built.
        columns = ("epoch", "update", *curve[0])
        former = (dict(zip(columns, row.values(), strict=True)) for row in read_rows(path))
        rows = [row for row in former if int(row["epoch"]) < epoch]
        update = int(tf.convert_to_tensor(self._optimizer().iterations))
        update -= int(sum(row["updates"] for row in curve))
        for row in curve:
            update += int(row["updates"])
            rows.append({"epoch": epoch, "update": update, **row})
        write_rows(path, rows)

    def _summarize(self, curve: list[dict], layers: list[str]) -> None:
        updates = sum(row["updates"] for row in curve)
        folder = self.folder / LOGS / "gradients"
        with tensorflow_writing(folder):
            writer = tf.summary.create_file_writer(str(folder))
            with writer.as_default(step=self.progress.epoch):
                for layer in layers:
                    mean = sum(row["updates"] * row[layer] for row in curve) / updates
                    tf.summary.scalar(f"gradient_norm/{layer}", mean)
            writer.close()
