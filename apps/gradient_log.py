"""Where the norms of a training's gradients are written down: the history, a curve, TensorBoard."""

import csv
from pathlib import Path

import keras
import tensorflow as tf

from apps.run_folder import GRADIENT_NORMS


class GradientLog(keras.callbacks.Callback):
    """Adds an epoch's gradient norms to its logs and its curve to `gradient_norms.csv`; the mean
    of each layer goes to TensorBoard.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self.write())

    def write(self) -> dict[str, float]:
        """Writes what has been noted since the last time, and returns the figures of all of it;
        for a training that breaks off, too."""
        if self.model is None:
            return {}
        # Keras' scale of the loss stands around the optimizer that does the work.
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if optimizer.norms is None:
            return {}
        figures, curve = optimizer.norms.take()
        if curve:
            last = int(tf.convert_to_tensor(optimizer.iterations))
            self._append(curve, last - int(sum(row["updates"] for row in curve)))
            self._summarize(curve, optimizer.norms.layers)
        return figures

    def _append(self, curve: list[dict], update: int) -> None:
        with (self.folder / GRADIENT_NORMS).open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["epoch", "update", *curve[0]])
            if not file.tell():
                writer.writeheader()
            for row in curve:
                update += int(row["updates"])
                writer.writerow({"epoch": self.epoch, "update": update, **row})

    def _summarize(self, curve: list[dict], layers: list[str]) -> None:
        updates = sum(row["updates"] for row in curve)
        # A run of its own there: the callback of Keras writes into `train`.
        writer = tf.summary.create_file_writer(str(self.folder / "logs" / "gradients"))
        with writer.as_default(step=self.epoch):
            for layer in layers:
                mean = sum(row["updates"] * row[layer] for row in curve) / updates
                tf.summary.scalar(f"gradient_norm/{layer}", mean)
        writer.close()
