"""Training that knows nothing of the task: seed, optimizer, callbacks, the best weights."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import tensorflow as tf

from apps.config.training import TrainingConfig
from apps.runs.contents import CHECKPOINTS, HISTORY, LOGS
from apps.training.averaged_weights import AveragedWeights
from apps.training.checkpoints import Checkpoints
from apps.training.divergence import Diverged, StopOnDivergence, check_figures
from apps.training.epochs import ProgressCallback, run_epochs
from apps.training.gradient_log import GradientLog
from apps.training.progress import Progress
from apps.training.signals import Signals, Terminated
from apps.training.tensorboard import TensorBoardLogs
from data.batches.padded import Batches
from data.errors import UserError
from data.messages import say
from models.optimization.adam import Adam, LossScale
from models.optimization.layer_rates import LayerRates
from models.optimization.schedules import WarmupDecay


def seed_everything(config: TrainingConfig) -> None:
    """Seeds Python, NumPy and TensorFlow; with `deterministic`, chooses repeatable kernels too."""
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def optimizer(
    config: TrainingConfig, steps_per_epoch: int, depths: dict[str, int] | None = None
) -> keras.optimizers.Optimizer:
    """`adam` with a warm-up and a schedule; `depths` as
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
    rates = depths and LayerRates(depths, config.layer_decay, math.ceil(config.unfreeze * updates))
    return adam(config, schedule, math.ceil(updates), rates)


def adam(
    config: TrainingConfig,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    updates_per_epoch: int = 0,
    layer_rates: LayerRates | None = None,
) -> keras.optimizers.Optimizer:
    """Adam (Kingma & Ba 2015) with clipping by global norm, the remedy for exploding gradients of
    Pascanu et al. (2013).

    Args:
        config: the options.
        learning_rate: a number becomes a variable.
        updates_per_epoch: note the gradients' norms, this many an epoch; 0 for not at all.
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
    """Adds figures of the validation split to each epoch's logs.

    Args:
        validate: takes the model, returns figures by name, or None: there is no such split.
        averaged: weights that it has meanwhile.
    """

    def __init__(
        self,
        validate: Callable[[keras.Model], dict[str, float]] | None,
        averaged: AveragedWeights,
    ):
        super().__init__()
        self.validate, self.averaged = validate, averaged

    def on_epoch_end(self, epoch, logs=None):
        if self.validate is not None:
            with self.averaged:
                figures = self.validate(self.model)
            check_figures(figures, f"on validation after epoch {epoch + 1}")
            logs.update({f"val_{name}": value for name, value in figures.items()})
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class TrainingResult(NamedTuple):
    """How a training ended.

    Attributes:
        stopped: why it stopped early, or the empty text: Ctrl-C, or a divergence after a good
            epoch.
        resumable: whether it can go on from its last checkpoint.
        seconds: that it took, those before a resumption included.
        epochs: after which the weights were those that the model keeps.
    """

    stopped: str
    resumable: bool
    seconds: float
    epochs: int


def fit(
    model: keras.Model,
    batches: Batches,
    validate: Callable[[keras.Model], dict[str, float]] | None,
    loss: keras.losses.Loss,
    monitor: str,
    config: TrainingConfig,
    folder: Path,
    depths: dict[str, int] | None = None,
    epochs: int | None = None,
    rows: int = 0,
) -> TrainingResult:
    """Trains until the epochs are over, the validation stops to improve, or Ctrl-C.

    The model keeps the weights of its best epoch. With `average_weights` it is their average that
    is validated and kept; the training goes on with the weights themselves.

    Checkpoints, `history.csv` and the TensorBoard `logs` are written into the folder. A training
    that finds checkpoints there goes on from the last of them, and ends as if nothing had
    interrupted it: its state is the variables, the position and what `apps.training.progress`
    lists; the order of the data follows from seed and epoch.

    Args:
        model: maps a batch's inputs to logits.
        batches: of the training split.
        validate: figures of the validation split, without the prefix `val_`; None: there is none,
            and the model keeps the weights of its last epoch.
        loss: of targets and logits.
        monitor: the figure that chooses the epoch; the highest is the best, and of equals the one
            with the least loss.
        config: the options.
        folder: what is written goes there.
        depths: of the weights, if lower layers learn more slowly; see `optimizer`.
        epochs: after which it is over, however many the options have for the learning rate to fall.
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
        say(f"going on in epoch {progress.epoch + 1}, after {progress.batch} of its batches")
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
    return TrainingResult("", False, progress.seconds, progress.best_epochs)


def _early_ending(
    reason: BaseException,
    model: keras.Model,
    averaged: AveragedWeights,
    progress: Progress,
    checkpoints: Checkpoints,
) -> TrainingResult:
    """Writes a checkpoint, unless there is nothing to go on from, and gives the model its best
    weights, or before the first epoch is over the averages so far.

    Raises:
        Terminated: that is the reason.
        Diverged: it is, and no epoch was good.
    """
    if not isinstance(reason, Diverged):
        try:
            checkpoints.save()
        except Diverged as found:
            reason = found
    diverged = isinstance(reason, Diverged)
    has_best = progress.restore_best(model)
    if isinstance(reason, Terminated) or (diverged and not has_best):
        raise reason
    if not has_best:
        averaged.put_in()
    stopped = str(reason) or "interrupted"
    return TrainingResult(stopped, not diverged, progress.seconds, progress.best_epochs)
