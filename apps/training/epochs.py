"""The epochs of a training: one `fit` for each, so that training can resume within an epoch."""

import time
from pathlib import Path

import keras

from apps.runs.folder import write_rows
from apps.tracking.listener import history_listener
from apps.training.checkpoints import Checkpoints
from apps.training.epoch_lines import EpochLines
from apps.training.progress import Progress
from apps.training.signals import Signals
from apps.training.workers.group import joined
from data.batches.padded import Batches
from data.batches.streams import Streams

# Processes that train together agree after so many batches whether a checkpoint is due.
AGREED_BATCHES = 8


def run_epochs(
    model: keras.Model,
    batches: Batches | Streams,
    callbacks: list[keras.callbacks.Callback],
    progress: Progress,
    epochs: int,
) -> None:
    """Trains until the last epoch, or until validation stops improving.

    Each epoch is a pass over the rows, whatever its number of batches; all use the same compiled
    training step.

    Args:
        model: compiled.
        batches: of the training split.
        callbacks: for them this is one training of many epochs; the last is a `ProgressCallback`.
        progress: where it begins.
        epochs: how many there are in all.
    """
    callbacks = [*callbacks, EpochLines(progress, epochs)]
    training = _OneTraining(callbacks, add_history=True, model=model)
    training.set_params({"epochs": epochs, "steps": None, "verbose": 0})
    training.begin()
    try:
        while progress.epoch < epochs and not progress.exhausted:
            epoch = progress.epoch
            dataset = batches.dataset(epoch, progress.batch)
            steps = int(dataset.cardinality())
            training.set_params({"epochs": epochs, "steps": steps, "verbose": 0})
            if steps:
                model.fit(
                    dataset,
                    initial_epoch=epoch,
                    epochs=epoch + 1,
                    callbacks=training,
                    shuffle=False,
                )
            else:  # it was interrupted between the last batch and validation
                training.on_epoch_begin(epoch)
                training.on_epoch_end(epoch, model.get_metrics_result())
    finally:
        training.end()


class _OneTraining(keras.callbacks.CallbackList):
    """Callbacks that begin and end once, however many calls of `fit` come between."""

    def begin(self) -> None:
        super().on_train_begin()

    def end(self) -> None:
        super().on_train_end()

    def on_train_begin(self, logs: dict | None = None) -> None:
        pass

    def on_train_end(self, logs: dict | None = None) -> None:
        pass


class ProgressCallback(keras.callbacks.Callback):
    """Notes the progress, writes checkpoints between two batches, and `history.csv`.

    Signals wait while a step is trained and noted, so that whatever interrupts the training finds
    variables and progress that belong training.

    Args:
        progress: of the training.
        checkpoints: of the same.
        signals: that may interrupt it.
        history: the CSV file.
        seconds: between two checkpoints, at least; there is also one after each epoch.
    """

    def __init__(
        self,
        progress: Progress,
        checkpoints: Checkpoints,
        signals: Signals,
        history: Path,
        seconds: float,
    ) -> None:
        super().__init__()
        self.progress, self.checkpoints, self.signals = progress, checkpoints, signals
        self.history, self.seconds = history, seconds
        self._saved, self._first = time.monotonic(), 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._write_history()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.checkpoints.restore_running_means()
        self._first = self.progress.batch

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self.signals.hold()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.progress.end_batch(self._first + batch + 1)
        if self._is_due():
            self._save()
        self.signals.release()

    def _is_due(self) -> bool:
        """Whether it is time for a checkpoint. To write one, the processes of a group read
        variables together, so all must do so after the same batch: the first one decides."""
        due = time.monotonic() - self._saved >= self.seconds
        if (group := joined()) is None:
            return due
        return self.progress.step % AGREED_BATCHES == 0 and group.agree(due)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        assert logs is not None  # Keras passes what it has measured
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
        if (listener := history_listener.get()) is not None:
            listener(self.history, self.progress.history)
