"""The epochs of a training: one `fit` for each, so that it can begin in the middle of one."""

import time
from pathlib import Path

import keras

from apps.runs.folder import write_rows
from apps.training.checkpoints import Checkpoints
from apps.training.epoch_messages import EpochMessages
from apps.training.progress import Progress
from apps.training.signals import Signals
from data.batches.padded import Batches
from data.messages import is_watched


def run_epochs(
    model: keras.Model,
    batches: Batches,
    callbacks: list[keras.callbacks.Callback],
    progress: Progress,
    epochs: int,
) -> None:
    """Trains until the epochs are over or the validation stops to improve.

    Each epoch is a pass over the rows, whatever its number of batches; the compiled training step
    is the same for all.

    Args:
        model: compiled.
        batches: of the training split.
        callbacks: they see one training of many epochs; the last is a `ProgressCallback`.
        progress: where it begins.
        epochs: how many there are in all.
    """
    watched = is_watched()
    if not watched:
        callbacks = [*callbacks, EpochMessages()]
    together = _OneTraining(callbacks, add_history=True, add_progbar=watched, model=model)
    together.set_params({"epochs": epochs, "steps": None, "verbose": int(watched)})
    together.begin()
    try:
        while progress.epoch < epochs and not progress.exhausted:
            epoch = progress.epoch
            dataset = batches.dataset(epoch, progress.batch)
            steps = int(dataset.cardinality())
            together.set_params({"epochs": epochs, "steps": steps, "verbose": int(watched)})
            if steps:
                model.fit(
                    dataset,
                    initial_epoch=epoch,
                    epochs=epoch + 1,
                    callbacks=together,
                    shuffle=False,
                )
            else:  # it ended between the last batch and the validation
                together.on_epoch_begin(epoch)
                together.on_epoch_end(epoch, model.get_metrics_result())
    finally:
        together.end()


class _OneTraining(keras.callbacks.CallbackList):
    """Callbacks that begin and end once, however many `fit`s there are between."""

    def begin(self) -> None:
        super().on_train_begin()

    def end(self) -> None:
        super().on_train_end()

    def on_train_begin(self, logs=None):
        pass

    def on_train_end(self, logs=None):
        pass


class ProgressCallback(keras.callbacks.Callback):
    """Notes the progress, writes checkpoints between two batches, and `history.csv`.

    Signals wait while a step is trained and noted, so that whatever interrupts the training finds
    variables and progress that belong together.

    Args:
        progress: of the training.
        checkpoints: of the same.
        signals: that may interrupt it.
        history: the CSV file.
        seconds: between two checkpoints, at the least; there is one after each epoch, too.
    """

    def __init__(
        self,
        progress: Progress,
        checkpoints: Checkpoints,
        signals: Signals,
        history: Path,
        seconds: float,
    ):
        super().__init__()
        self.progress, self.checkpoints, self.signals = progress, checkpoints, signals
        self.history, self.seconds = history, seconds
        self._saved, self._first = time.monotonic(), 0

    def on_train_begin(self, logs=None):
        self._write_history()

    def on_epoch_begin(self, epoch, logs=None):
        self.checkpoints.restore_running_means()
        self._first = self.progress.batch

    def on_train_batch_begin(self, batch, logs=None):
        self.signals.hold()

    def on_train_batch_end(self, batch, logs=None):
        self.progress.end_batch(self._first + batch + 1)
        if time.monotonic() - self._saved >= self.seconds:
            self._save()
        self.signals.release()

    def on_epoch_end(self, epoch, logs=None):
        self.signals.hold()
        self.progress.end_epoch(self.model, logs)
        self._save()
        self._write_history()
        self.signals.release()

    def _save(self) -> None:
        self.checkpoints.save()
        self._saved = time.monotonic()

    def _write_history(self) -> None:
        write_rows(self.history, self.progress.history)
