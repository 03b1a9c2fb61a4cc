"""Training that knows nothing of the task: seed, optimizer, callbacks, the best weights."""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from apps.application import TrainingConfig
from apps.gradient_log import GradientLog
from apps.run_folder import HISTORY
from data.errors import UserError
from data.pipeline import Batches
from models.optimizers import Adam, LossScale
from models.schedules import WarmupDecay


def seed_everything(config: TrainingConfig) -> None:
    """Seeds Python, NumPy and TensorFlow; with `deterministic`, chooses repeatable kernels too."""
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def optimizer(config: TrainingConfig, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Adam (Kingma & Ba 2015) with a warm-up, a schedule, and clipping by global norm, the remedy
    for exploding gradients of Pascanu et al. (2013).

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
    adam = Adam(
        schedule,
        global_clipnorm=config.clip_norm or None,
        gradient_accumulation_steps=config.accumulate if config.accumulate > 1 else None,
        updates_per_epoch=math.ceil(updates),
    )
    return LossScale(adam) if config.mixed_precision == "float16" else adam


class Validation(keras.callbacks.Callback):
    """Adds figures of the validation split to each epoch's logs.

    Args:
        validate: takes the model, returns figures by name.
    """

    def __init__(self, validate: Callable[[keras.Model], dict[str, float]]):
        super().__init__()
        self.validate = validate

    def on_epoch_end(self, epoch, logs=None):
        figures = self.validate(self.model)
        for value in figures.values():
            _check_finite(value, f"on validation after epoch {epoch + 1}")
        logs.update({f"val_{name}": value for name, value in figures.items()})
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class StopOnDivergence(keras.callbacks.Callback):
    """Ends a training whose loss is no number any more: nothing after it is worth the time."""

    def on_train_batch_end(self, batch, logs=None):
        # A tensor first: on several devices the variable is one of each.
        step = int(tf.convert_to_tensor(self.model.optimizer.iterations))
        _check_finite(logs["loss"], f"as loss in step {step}")


class _Diverged(UserError):
    """A loss or a figure is no number any more."""


def _check_finite(value: float, when: str) -> None:
    if not math.isfinite(value):
        raise _Diverged(
            f"the training diverged: it gives {value} {when}. "
            "Lower --learning-rate or --clip-norm, or lengthen --warmup"
        )


def fit(
    model: keras.Model,
    batches: Batches,
    validate: Callable[[keras.Model], dict[str, float]],
    loss: keras.losses.Loss,
    monitor: str,
    config: TrainingConfig,
    folder: Path,
) -> str:
    """Trains until the epochs are over, the validation stops to improve, or Ctrl-C.

    The model keeps the weights of its best epoch. `history.csv` and the TensorBoard `logs` are
    written into the folder, epoch by epoch.

    Args:
        model: maps a batch's inputs to logits.
        batches: of the training split.
        validate: figures of the validation split, without the prefix `val_`.
        loss: of targets and logits.
        monitor: the figure that chooses the epoch; the highest is the best.
        config: the options.
        folder: where the history goes.

    Returns:
        Why it stopped early, or the empty text: Ctrl-C, or a divergence after a good epoch.

    Raises:
        UserError: the training diverged in its first epoch.
    """
    steps = batches.steps(0)
    with model.distribute_strategy.scope():
        model.compile(optimizer=optimizer(config, steps), loss=loss, jit_compile=config.jit)
    # The training step alone is compiled: XLA takes longer over validation's batches than they do.
    model.make_train_function()
    model.jit_compile = False
    best = keras.callbacks.EarlyStopping(
        f"val_{monitor}", mode="max", patience=config.patience, restore_best_weights=True
    )
    gradients = GradientLog(folder)
    callbacks = [
        Validation(validate),
        gradients,
        best,
        keras.callbacks.CSVLogger(str(folder / HISTORY)),
        keras.callbacks.TensorBoard(str(folder / "logs"), write_graph=False),
        StopOnDivergence(),
    ]
    # One line an epoch where nobody watches a bar grow.
    verbose = 1 if sys.stdout.isatty() else 2
    try:
        model.fit(
            batches.stream(),
            steps_per_epoch=steps,
            epochs=config.epochs,
            callbacks=callbacks,
            verbose=verbose,
            shuffle=False,
        )
    except (KeyboardInterrupt, _Diverged) as reason:
        gradients.write()
        if best.best_weights is not None:
            model.set_weights(best.best_weights)
        elif isinstance(reason, _Diverged):
            raise
        return str(reason) or "interrupted"
    return ""
