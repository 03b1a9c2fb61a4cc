"""The training of any model: seed, optimizer, callbacks and the weights of the best epoch."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from apps.config.training import TrainingConfig
from apps.runs.contents import CHECKPOINTS, HISTORY, LOGS
from apps.training.averaged_weights import AveragedWeights
from apps.training.checkpoints import Checkpoints
from apps.training.divergence import Diverged, StopOnDivergence, check_metrics
from apps.training.epochs import ProgressCallback, run_epochs
from apps.training.gradient_log import GradientLog
from apps.training.progress import Progress
from apps.training.signals import Signals, Terminated
from apps.training.tensorboard import TensorBoardLogs
from data.batches.padded import Batches
from data.batches.streams import Streams
from data.errors import UserError
from data.messages import say
from models.optimization.adam import Adam, LossScale
from models.optimization.layer_rates import LayerRates
from models.optimization.schedules import WarmupDecay


def seed_everything(config: TrainingConfig) -> None:
    """Seeds Python, NumPy and TensorFlow; `deterministic` also chooses repeatable kernels."""
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def optimizer(
    config: Any, steps_per_epoch: int, depths: dict[str, int] | None = None
) -> keras.optimizers.Optimizer:
    """Returns Adam with a warm-up and a schedule.

    Args:
        config: the options, a `TrainingConfig`; with depths they have `layer_decay` and `unfreeze`.
        steps_per_epoch: batches of an epoch.
        depths: of the weights, if lower layers learn more slowly; see
            `models.optimization.layer_rates.LayerRates`.

    Raises:
        UserError: all steps together do not fill one update.
    """
    if config.accumulate > config.epochs * steps_per_epoch:
        raise UserError(
            f"--accumulate {config.accumulate} is more than the {config.epochs * steps_per_epoch} "
            "steps of all epochs: the weights would never change. Lower it or --batch-size"
        )
    updates = steps_per_epoch / config.accumulate
    schedule = WarmupDecay(
        config.learning_rate,
        config.schedule,
        warmup_steps=math.ceil(config.warmup * updates),
        total_steps=math.ceil(config.epochs * updates),
    )
    rates = None
    if depths:
        rates = LayerRates(depths, config.layer_decay, math.ceil(config.unfreeze * updates))
    return adam(config, schedule, math.ceil(updates), rates)


def adam(
    config: TrainingConfig,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    updates_per_epoch: int = 0,
    layer_rates: LayerRates | None = None,
) -> keras.optimizers.Optimizer:
    """Returns Adam (Kingma & Ba 2015) that clips gradients by their global norm, the remedy of
    Pascanu et al. (2013) for exploding gradients.

    Args:
        config: the options.
        learning_rate: a number becomes a variable.
        updates_per_epoch: of an epoch, whose gradient norms are recorded; 0 to record none.
        layer_rates: lower rates for lower layers, or None.
    """
    made = Adam(
        learning_rate,
        global_clipnorm=config.clip_norm or None,
        gradient_accumulation_steps=config.accumulate if config.accumulate > 1 else None,
        updates_per_epoch=updates_per_epoch,
        average_decay=config.average_weights,
        layer_rates=layer_rates,
    )
    return LossScale(made) if config.mixed_precision == "float16" else made


class Validation(keras.callbacks.Callback):
    """Adds the metrics of the validation split to each epoch's logs.

    Args:
        validate: takes the model and returns metrics by name; None if there is no such split.
        averaged: the weights that are validated.
    """

    def __init__(
        self,
        validate: Callable[[keras.Model], dict[str, float]] | None,
        averaged: AveragedWeights,
    ) -> None:
        super().__init__()
        self.validate, self.averaged = validate, averaged

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        assert logs is not None  # Keras passes what it has measured
        if self.validate is not None:
            with self.averaged:
                metrics = self.validate(self.model)
            check_metrics(metrics, f"on validation after epoch {epoch + 1}")
            logs.update({f"val_{name}": value for name, value in metrics.items()})
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class TrainingResult(NamedTuple):
    """How a training ended.

    Attributes:
        stopped: why it stopped early, or the empty text: Ctrl-C, or a divergence after a good
            epoch.
        resumable: whether it can be resumed from its last checkpoint.
        seconds: that it took, including those before it was resumed.
        epochs: after which the weights were those that the model keeps.
    """

    stopped: str
    resumable: bool
    seconds: float
    epochs: int


def fit(
    model: keras.Model,
    batches: Batches | Streams,
    validate: Callable[[keras.Model], dict[str, float]] | None,
    loss: keras.losses.Loss,
    monitor: str,
    config: TrainingConfig,
    folder: Path,
    depths: dict[str, int] | None = None,
    epochs: int | None = None,
    rows: int = 0,
) -> TrainingResult:
    """Trains until the last epoch, until validation stops improving, or until Ctrl-C.

    The model keeps the weights of its best epoch. With `average_weights` their average is validated
    and kept, while training continues with the weights themselves.

    Checkpoints, `history.csv` and the TensorBoard `logs` are written into the folder. A training
    that finds checkpoints there resumes from the last of them, and ends as if nothing had
    interrupted it: its state consists of the variables, the position and what
    `apps.training.progress` lists; the order of the data follows from seed and epoch.

    Args:
        model: maps a batch's inputs to logits.
        batches: of the training split.
        validate: returns the metrics of the validation split, without the prefix `val_`; None if
            there is no such split, and the model keeps the weights of its last epoch.
        loss: of targets and logits.
        monitor: the metric that chooses the epoch; the highest is the best, and of equal ones that
            with the lowest loss.
        config: the options.
        folder: what is written goes there.
        depths: of the weights, if lower layers learn more slowly; see `optimizer`.
        epochs: to train, however many the options give the learning rate to fall.
        rows: of the validation split, for a monitor that is a share; see
        `apps.training.progress.Progress`.

    Raises:
        UserError: the training diverged in its first epoch, or the folder cannot be written.
        Terminated: SIGTERM came; the checkpoint is written.
    """
    with model.distribute_strategy.scope():
        step = optimizer(config, batches.steps(0), depths)
        model.compile(optimizer=step, loss=loss, jit_compile=config.jit)
    # The training step alone is compiled: XLA takes longer over validation's batches than they do.
    model.make_train_function()
    model.jit_compile = False
    monitored = None if validate is None else f"val_{monitor}"
    progress = Progress(model, monitored, config.patience, rows)
    checkpoints = Checkpoints(folder / CHECKPOINTS, model, progress)
    last = epochs or config.epochs
    if checkpoints.restore() and progress.epoch < last and not progress.exhausted:
        say(f"resuming in epoch {progress.epoch + 1} after {progress.batch} batches")
    gradients, averaged = GradientLog(folder, progress), AveragedWeights(model)
    with Signals() as signals:
        callbacks = [
            Validation(validate, averaged),
            gradients,
            TensorBoardLogs(folder / LOGS),
            StopOnDivergence(),
            ProgressCallback(
                progress, checkpoints, signals, folder / HISTORY, config.checkpoint_seconds
            ),
        ]
        try:
            run_epochs(model, batches, callbacks, progress, last)
        except (KeyboardInterrupt, Terminated, Diverged) as reason:
            signals.hold()
            averaged.put_back()
            gradients.write()
            return _early_ending(reason, model, averaged, progress, checkpoints)
    progress.restore_best(model)
    if kept := progress.describe_best(last):
        say(kept)
    return TrainingResult("", False, progress.seconds, progress.best_epochs)


def _early_ending(
    reason: BaseException,
    model: keras.Model,
    averaged: AveragedWeights,
    progress: Progress,
    checkpoints: Checkpoints,
) -> TrainingResult:
    """Writes a checkpoint, unless the training diverged, and gives the model its best weights, or
    before the end of the first epoch the averages so far.

    Raises:
        Terminated: that is the reason.
        Diverged: it is, and no epoch was good.
    """
    if not isinstance(reason, Diverged):
        try:
            checkpoints.save()
        except Diverged as error:
            reason = error
    diverged = isinstance(reason, Diverged)
    has_best = progress.restore_best(model)
    if isinstance(reason, Terminated) or (diverged and not has_best):
        raise reason
    if not has_best:
        averaged.put_in()
    stopped = str(reason) or "interrupted"
    return TrainingResult(stopped, not diverged, progress.seconds, progress.best_epochs)
