"""How far a training has come: its state outside the variables of model and optimizer."""

import json
import math
import random
import time
from typing import cast

import keras
import numpy as np
import tensorflow as tf

from apps.training.averaged_weights import validated_weights


class Progress(tf.train.experimental.PythonState):
    """The position in the data, history and early stopping; a checkpoint holds it as JSON.

    It includes Python's and NumPy's random states. Layers draw from `keras.random.SeedGenerator`s,
    which are variables.

    Args:
        model: its weights' shapes are those of `best_weights`.
        monitor: the metric that chooses the epoch; the highest is the best. None: the last epoch
            is the best.
        patience: epochs without a better metric before training stops.
        rows: of the validation split, if the figure is a share of one. It then counts in whole rows
            that it falls short of 1: on twenty rows an average precision of 0.99 is no better than
            0.96, and the loss has to tell the two apart. 0: it counts as it is.

    Attributes:
        epoch: the number of the current epoch, from 0, until it has been validated.
        batch: how many batches of it are trained.
        step: how many are trained in all.
        best: what the best epoch's figure counts for and, of equals, the lesser loss with its sign.
        history: the metrics of each finished epoch.
        best_weights: variables with the weights of the best epoch, once there is one.
    """

    def __init__(
        self, model: keras.Model, monitor: str | None, patience: int, rows: int = 0
    ) -> None:
        super().__init__()
        self.monitor, self.patience, self.rows = monitor, patience, rows
        self.epoch = self.batch = self.step = self.wait = 0
        self.best: list[float] | None = None
        self.history: list[dict[str, float]] = []
        self._seconds_before, self._started = 0.0, time.monotonic()
        # On a GPU they would take memory that training needs.
        with tf.device("CPU:0"):
            self.best_weights = [
                tf.Variable(weight.numpy(), trainable=False) for weight in model.weights
            ]

    @property
    def seconds(self) -> float:
        """The time that the training took, including that before it was resumed."""
        return self._seconds_before + time.monotonic() - self._started

    @property
    def exhausted(self) -> bool:
        """Whether the metric has not improved for too long."""
        return self.wait >= self.patience

    @property
    def best_epochs(self) -> int:
        """The number of epochs up to the end of the best one; 0 if none is finished."""
        ranks = [self._rank(row) for row in self.history]
        return 1 + ranks.index(self.best) if self.best is not None else 0

    def end_batch(self, batch: int) -> None:
        """Records that so many batches of the epoch are trained."""
        self.step += batch - self.batch
        self.batch = batch

    def end_epoch(self, model: keras.Model, metrics: dict[str, float]) -> None:
        """Records an epoch's metrics, its weights if they are the best, and begins the next one."""
        row = {"epoch": self.epoch, **dict(sorted(metrics.items()))}
        rank = self._rank(row)
        self.wait += 1
        if self.best is None or rank > self.best:
            self.best, self.wait = rank, 0
            for best, weight in zip(self.best_weights, validated_weights(model), strict=True):
                best.assign(weight)
        self.history.append(row)
        self.epoch, self.batch = self.epoch + 1, 0

    def _rank(self, row: dict[str, float]) -> list[float]:
        """Returns the rank of an epoch. Of equal metrics the lower loss is better: on easy data
        many epochs have everything right, and on few rows a ranking is perfect before a class
        is ever the most probable."""
        if self.monitor is None:
            return [row["epoch"]]
        figure = row[self.monitor]
        if self.rows:
            # 1 - 0.9 is a little less than a tenth.
            figure = -math.floor(round((1.0 - figure) * self.rows, 6))
        return [figure, -row.get("val_loss", 0.0)]

    def describe_best(self, epochs: int) -> str:
        """Returns which epoch is kept, and why, in a line or two; empty if validation has not
        chosen it.

        Args:
            epochs: how many there could have been.
        """
        if self.monitor is None or self.best is None:
            return ""
        name, value = self.monitor.removeprefix("val_"), self.history[self.best_epochs - 1]
        line = (
            f"kept: epoch {self.best_epochs} of {len(self.history)}, the best on validation "
            f"({name} {value[self.monitor]:.4f})"
        )
        highest = max(row[self.monitor] for row in self.history)
        if f"{highest:.4f}" != f"{value[self.monitor]:.4f}":
            line += (
                f"\n  {highest:.4f} is higher by less than one of {self.rows} texts: "
                "the lower loss decides"
            )
        if self.exhausted and self.epoch < epochs:
            line += f"\nstopped early: {self.wait} epochs in a row were no better"
        return line

    def restore_best(self, model: keras.Model) -> bool:
        """Gives the model the weights of its best epoch; returns False if no epoch is finished."""
        if self.best is not None:
            model.set_weights([weight.numpy() for weight in self.best_weights])
        return self.best is not None

    def serialize(self) -> str:
        values = {name: getattr(self, name) for name in _SAVED}
        return json.dumps({**values, "seconds": self.seconds, "random": _random_state()})

    def deserialize(self, string_value: str) -> None:
        values = json.loads(string_value)
        for name in _SAVED:
            setattr(self, name, values[name])
        self._seconds_before, self._started = values["seconds"], time.monotonic()
        _set_random_state(values["random"])


_SAVED = ("epoch", "batch", "step", "wait", "best", "history")


def _random_state() -> dict:
    name, keys, *rest = cast(tuple, np.random.get_state())
    return {"python": random.getstate(), "numpy": [name, keys.tolist(), *rest]}


def _set_random_state(state: dict) -> None:
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    np.random.set_state(tuple(state["numpy"]))
