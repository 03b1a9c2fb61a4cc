"""The whole state of a training on disk: killed at any moment, it resumes from the last one."""

import shutil
from pathlib import Path

import keras
import tensorflow as tf

from apps.runs.tensorflow_files import tensorflow_writing
from apps.training.divergence import check_weights
from apps.training.progress import Progress
from data.errors import UserError

# The last one, and one more in case a power cut damages the last one.
_KEPT = 2


class Checkpoints:
    """TensorFlow checkpoints of everything that training changes.

    That is the model's weights and seed generators, the optimizer, the running means of the epoch,
    the weights of the best epoch, and the progress. They are listed in the order in which the model
    makes them: names may depend on what else a process has built.

    Args:
        folder: where they go.
        model: built and compiled.
        progress: of its training.
    """

    def __init__(self, folder: Path, model: keras.Model, progress: Progress) -> None:
        self._folder, self._model, self._progress = folder, model, progress
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
        self._metrics = [variable for metric in model.metrics for variable in metric.variables]
        self._running_means: list | None = None
        self._checkpoint = tf.train.Checkpoint(
            model=[variable.value for variable in model.variables],
            optimizer=[variable.value for variable in model.optimizer.variables],
            metrics=[variable.value for variable in self._metrics],
            best=progress.best_weights,
            progress=progress,
        )
        with tensorflow_writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._manager = tf.train.CheckpointManager(self._checkpoint, folder, max_to_keep=_KEPT)
            self._drop_incomplete()

    def save(self) -> None:
        """Writes the state; the former checkpoint stays until this one is complete.

        Raises:
            Diverged: a weight is NaN or infinite; nothing is written.
            UserError: the disk is full, or the folder cannot be written.
        """
        check_weights(self._model, self._progress.step)
        self._set_running_means()
        try:
            with tensorflow_writing(self._folder):
                self._manager.save()
        except UserError:
            self._drop_incomplete()
            raise

    def restore(self) -> bool:
        """Restores the last checkpoint that can be read; returns False if there is none.

        Raises:
            UserError: there are some, and none can be read.
        """
        for path in reversed(self._manager.checkpoints):
            try:
                self._checkpoint.restore(path).assert_consumed()
            except (ValueError, AssertionError, KeyError, tf.errors.OpError):
                continue
            self._running_means = [variable.numpy() for variable in self._metrics]
            return True
        if self._manager.checkpoints:
            raise UserError(
                f"the checkpoints in {self._folder} are damaged or of another version of this "
                "suite. Train anew with --restart"
            )
        return False

    def restore_running_means(self) -> None:
        """Restores the running means, once after `restore`: `fit` sets them to zero as an epoch
        begins."""
        self._set_running_means()
        self._running_means = None

    def _set_running_means(self) -> None:
        # Those of a finished epoch do not count in the next.
        if self._running_means is not None and self._progress.batch:
            for variable, value in zip(self._metrics, self._running_means, strict=True):
                variable.assign(value)

    def _drop_incomplete(self) -> None:
        """Removes what an incomplete write has left."""
        complete = {Path(path).name for path in self._manager.checkpoints}
        for path in (*self._folder.glob("ckpt-*"), *self._folder.glob("checkpoint.tmp*")):
            if path.stem not in complete:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
