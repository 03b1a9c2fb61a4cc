"""The figures of each epoch where TensorBoard finds them."""

from pathlib import Path

import keras
import tensorflow as tf

from apps.runs.tensorflow_files import tensorflow_writing


class TensorBoardLogs(keras.callbacks.Callback):
    """Writes what Keras' own callback writes of an epoch, under the same names.

    That one, when the disk is full, ends in TensorFlow's errors and leaves a broken writer behind
    for whatever is trained next.

    Args:
        folder: gets a folder `train` and a folder `validation`.
    """

    def __init__(self, folder: Path):
        super().__init__()
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def on_train_begin(self, logs: dict | None = None) -> None:
        with tensorflow_writing(self._folder):
            for split in ("train", "validation"):
                self._writers[split] = tf.summary.create_file_writer(str(self._folder / split))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        assert logs is not None  # Keras passes what it has measured
        with tensorflow_writing(self._folder):
            for name, value in logs.items():
                split = "validation" if name.startswith("val_") else "train"
                with self._writers[split].as_default(step=epoch):
                    tf.summary.scalar(f"epoch_{name.removeprefix('val_')}", value)
            for writer in self._writers.values():
                writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        with tensorflow_writing(self._folder):
            for writer in self._writers.values():
                writer.close()
