"""The learning-rate range test: a short training whose rate rises until it diverges."""

import itertools
import math
import os
import shlex
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from apps.config.training import TrainingConfig
from apps.plots import training as pictures
from apps.runs.folder import write_rows
from apps.training import fit
from data.batches.padded import Batches
from data.batches.streams import Streams
from data.errors import UserError
from data.messages import say

# Adam moves each weight by about the rate: in so many updates the lowest changes nothing, and no
# model lives through a step of the highest. What lies between is the question.
LOWEST, HIGHEST = 1e-6, 10.0
# 43 for each power of ten.
UPDATES = 300
# It looks back over ten updates, a quarter of a power of ten.
_SMOOTHING = 0.9
_DIVERGED = 4.0
# Slopes are those of lines through so many points, half a power of ten: between neighbours the
# noise of the batches is steeper than any fall.
_WINDOW = 21
# More, and it would find the rate at which a few rows are learned by heart.
_MOST_PASSES = 100


class RangeTest(keras.callbacks.Callback):
    """Raises the learning rate from update to update by equal factors and notes the loss (Smith
    2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3; rising exponentially
    and smoothed as in Howard's fastai).

    The optimizer's learning rate is a variable: the training step is the one that `fit` compiles.

    Args:
        accumulate: steps an update.

    Attributes:
        rows: `learning_rate`, `loss` and `smoothed_loss` (their exponential mean so far) of each
            update.
        over: whether there is nothing more to learn: the smoothed loss is above four times its
            lowest, or a loss is no number, or the highest rate has been tried.
    """

    def __init__(self, accumulate: int = 1):
        super().__init__()
        self.accumulate, self.over = accumulate, False
        self.rows: list[dict[str, float]] = []
        self._rates = np.geomspace(LOWEST, HIGHEST, UPDATES).tolist()
        self._losses: list[float] = []
        self._mean = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        # Keras reports the mean since the last reset.
        self.model.reset_metrics()
        self.model.optimizer.learning_rate = self._rates[len(self.rows)]

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        assert logs is not None  # Keras passes what it has measured
        self._losses.append(logs["loss"])
        if len(self._losses) == self.accumulate:
            self._end_update(sum(self._losses) / self.accumulate)
            self._losses = []
        self.model.stop_training = self.over

    def _end_update(self, loss: float) -> None:
        if not math.isfinite(loss):
            self.over = True
            return
        count = len(self.rows) + 1
        self._mean = _SMOOTHING * self._mean + (1.0 - _SMOOTHING) * loss
        smoothed = self._mean / (1.0 - _SMOOTHING**count)
        rate = self._rates[count - 1]
        self.rows.append({"learning_rate": rate, "loss": loss, "smoothed_loss": smoothed})
        lowest = min(row["smoothed_loss"] for row in self.rows)
        self.over = smoothed > _DIVERGED * lowest or count == len(self._rates)


def range_test(model: keras.Model, batches: Batches | Streams, accumulate: int = 1) -> list[dict]:
    """Returns the rows of a `RangeTest`.

    Args:
        model: compiled, its optimizer made with a number as learning rate; its weights are spoilt.
        batches: of the training split, passed over as often as it takes.
        accumulate: the optimizer's steps an update.
    """
    test = RangeTest(accumulate)
    for epoch in itertools.count():
        model.fit(batches.dataset(epoch, 0), verbose=0, shuffle=False, callbacks=[test])
        if test.over:
            break
    return test.rows


class Suggestion(NamedTuple):
    """Two learning rates.

    Attributes:
        steepest: where the smoothed loss falls fastest against the logarithm of the rate.
        tenth: a tenth of the rate where it is lowest. This is what a user is told to take: on the
            samples it lies around the rates of their recipes, the steepest fall three to six
            times above.
    """

    steepest: float
    tenth: float


def suggestion(rows: list[dict]) -> Suggestion | None:
    """Returns what the rows of a range test suggest; None if the loss did not fall."""
    rates, losses = (
        np.array([row[name] for row in rows]) for name in ("learning_rate", "smoothed_loss")
    )
    # The first means are of a few batches alone.
    if len(rows) < 2 * _WINDOW or (lowest := int(losses.argmin())) < _WINDOW:
        return None
    half = _WINDOW // 2
    steps = np.arange(_WINDOW) - half
    # Of lines through the points, by least squares; the first is that around point `half`.
    slopes = np.correlate(losses, steps / (steps**2).sum(), mode="valid")
    steepest = _WINDOW + int(slopes[_WINDOW - half : lowest - half + 1].argmin())
    return Suggestion(float(rates[steepest]), float(rates[lowest]) / 10)


def command_with(command: str, rate: float) -> str:
    """Returns the command that trains as the test would have, with this learning rate."""
    kept, words = [], shlex.split(command)
    while words:
        word = words.pop(0)
        if word == "--learning-rate":
            words.pop(0)
        elif word != "--find-lr" and not word.startswith("--learning-rate="):
            kept.append(word)
    return shlex.join([*kept, "--learning-rate", f"{rate:.2g}"])


def find_learning_rate(
    model: keras.Model,
    batches: Batches | Streams,
    loss: keras.losses.Loss,
    config: TrainingConfig,
    command: str,
    run: Path,
) -> None:
    """Tests a fresh model, prints the suggestion, and writes `<run>-learning-rate.csv` and `.png`;
    what is in the run folder stays as it is.

    Args:
        model: untrained; its weights are spoilt.
        batches: of the training split.
        loss: of targets and logits.
        config: the options.
        command: the command line of this test, of which that of the training is made.
        run: the run folder beside which the table and the picture are written.

    Raises:
        UserError: too few rows, a loss that is no number from the start or never falls, or a folder
            that cannot be written.
    """
    _check_enough(batches.steps(0), config.accumulate)
    with model.distribute_strategy.scope():
        model.compile(fit.adam(config, LOWEST), loss, jit_compile=config.jit)
        model.optimizer.build(model.trainable_variables)
    say(f"trying {UPDATES} learning rates, from {LOWEST:g} to {HIGHEST:g}")
    rows = range_test(model, batches, config.accumulate)
    if not rows:
        raise UserError(
            f"the loss is no number at a learning rate of {LOWEST:g}. Check the data, --vectors "
            "and --mixed-precision"
        )
    found = suggestion(rows)
    if found:
        say(
            f"learning rate {found.tenth:.2g}, a tenth of where the loss is lowest (it falls "
            f"fastest at {found.steepest:.2g}): {command_with(command, found.tenth)}"
        )
    picture = _write(rows, found, run)
    if not found:
        raise UserError(
            f"the loss did not fall at any learning rate: see {picture}. Check the data and --l1, "
            "--l2, --dropout"
        )
    say(f"the losses: {picture}")


def _check_enough(steps: int, accumulate: int) -> None:
    passes = math.ceil(UPDATES * accumulate / steps)
    if passes > _MOST_PASSES:
        raise UserError(
            f"too few rows for --find-lr: its {UPDATES} updates would pass {passes} times over the "
            "training split and learn it by heart. Lower --batch-size, --batch-tokens or "
            "--accumulate"
        )


def _write(rows: list[dict], found: Suggestion | None, run: Path) -> str:
    """Writes the table and the picture beside the run and returns the picture's path."""
    # Of "." and "..", too.
    place = run if run.name not in ("", "..") else Path(os.path.abspath(run))
    name = f"{place}-learning-rate"
    write_rows(Path(f"{name}.csv"), rows)
    marks = {}
    if found:
        marks = {
            "suggested, a tenth of the lowest": found.tenth,
            "falls fastest": found.steepest,
        }
    pictures.learning_rates(rows, marks, Path(f"{name}.png"))
    return f"{name}.png"
