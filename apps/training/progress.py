"""How far a training has come: all of its state that is in no variable of the model."""

import json
import math
import random
import time

import keras
import numpy as np
import tensorflow as tf

from apps.training.averaged_weights import validated_weights


class Progress(tf.train.experimental.PythonState):
    """Position in the data, history and early stopping; a checkpoint holds it as JSON.

    Python's and NumPy's random states go with it, for what draws from them in training. Layers
    draw from `keras.random.SeedGenerator`s, which are variables.

    Args:
        model: its weights' shapes are those of `best_weights`.
        monitor: the figure that chooses the epoch; the highest is the best. None: the last epoch
            is the best.
        patience: epochs without a better figure before it stops.
        rows: of the validation split, if the figure is a share of one. It then counts in whole rows
            that it falls short of 1: on twenty rows an average precision of 0.99 is no better than
            0.96, and the loss has to tell the two apart. 0: it counts as it is.

    Attributes:
        epoch: the number of the epoch under way, from 0; with all batches trained it waits for
            its validation.
        batch: how many batches of it are trained.
        step: how many are trained in all.
        best: what the best epoch's figure counts for and, of equals, the lesser loss with its sign.
        history: a row of figures for each epoch that is over.
        best_weights: variables, those of the best epoch once there is one.
    """

    def __init__(self, model: keras.Model, monitor: str | None, patience: int, rows: int = 0):
        super().__init__()
        self.monitor, self.patience, self.rows = monitor, patience, rows
        self.epoch = self.batch = self.step = self.wait = 0
        self.best, self.history = None, []
        self._seconds_before, self._started = 0.0, time.monotonic()
        # On a GPU they would take the place of something that is in use.
        with tf.device("CPU:0"):
            self.best_weights = [
                tf.Variable(weight.numpy(), trainable=False) for weight in model.weights
            ]

    @property
    def seconds(self) -> float:
        """The time that the training took, that before a resumption included."""
        return self._seconds_before + time.monotonic() - self._started

    @property
    def exhausted(self) -> bool:
        """Whether the figure has not improved for too long."""
        return self.wait >= self.patience

    @property
    def best_epochs(self) -> int:
        """How many epochs it took to the best one's end; 0 if none is over."""
        ranks = [self._rank(row) for row in self.history]
        return 1 + ranks.index(self.best) if ranks else 0

    def end_batch(self, batch: int) -> None:
        """Notes that so many batches of the epoch are trained."""
        self.step += batch - self.batch
        self.batch = batch

    def end_epoch(self, model: keras.Model, figures: dict[str, float]) -> None:
        """Notes the epoch's figures, its weights if they are the best, and begins the next one."""
        row = {"epoch": self.epoch, **dict(sorted(figures.items()))}
        rank = self._rank(row)
        self.wait += 1
        if self.best is None or rank > self.best:
            self.best, self.wait = rank, 0
            for best, weight in zip(self.best_weights, validated_weights(model), strict=True):
                best.assign(weight)
        self.history.append(row)
        self.epoch, self.batch = self.epoch + 1, 0

    def _rank(self, row: dict[str, float]) -> list[float]:
        """Of an epoch; of equal figures the one with the lesser loss is the better, since on easy
        data many epochs have all right, and on few rows a ranking is perfect before a class is ever
        the likeliest."""
        if self.monitor is None:
            return [row["epoch"]]
        figure = row[self.monitor]
        if self.rows:
            # 1 - 0.9 is a little less than a tenth.
            figure = -math.floor(round((1.0 - figure) * self.rows, 6))
        return [figure, -row.get("val_loss", 0.0)]

    def restore_best(self, model: keras.Model) -> bool:
        """Gives the model the weights of its best epoch; False if no epoch is over."""
        if self.best is not None:
            model.set_weights([weight.numpy() for weight in self.best_weights])
        return self.best is not None

    def serialize(self) -> str:
        values = {name: getattr(self, name) for name in _SAVED}
        return json.dumps({**values, "seconds": self.seconds, "random": _random_state()})

    def deserialize(self, string_value) -> None:
        values = json.loads(string_value)
        for name in _SAVED:
            setattr(self, name, values[name])
        self._seconds_before, self._started = values["seconds"], time.monotonic()
        _set_random_state(values["random"])


_SAVED = ("epoch", "batch", "step", "wait", "best", "history")


def _random_state() -> dict:
    name, keys, *rest = np.random.get_state()
    return {"python": random.getstate(), "numpy": [name, keys.tolist(), *rest]}


def _set_random_state(state: dict) -> None:
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    np.random.set_state(tuple(state["numpy"]))
