"""What a training shows of its epochs: a line each, and on a terminal a bar while one runs."""

import textwrap
import time

import keras

from apps.terminal.bar import Bar
from apps.terminal.duration import format_duration
from apps.training.progress import Progress
from data.messages import detail, is_watched, say


class EpochLines(keras.callbacks.Callback):
    """Logs a line when an epoch is over; all its metrics are a detail, and stand in `history.csv`.

    Args:
        progress: of the training; the callback that records it comes before this one.
        epochs: how many there are in all.
    """

    def __init__(self, progress: Progress, epochs: int) -> None:
        super().__init__()
        self.progress, self.epochs = progress, epochs
        self._bar = Bar()
        self._started, self._compiled = 0.0, False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._started = time.monotonic()
        if not self._compiled:
            say("compiling the first training step ...")
            self._compiled = True

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        steps = self.params["steps"] or 0
        if is_watched() and batch + 1 < steps:
            self._bar.show(f"epoch {self.progress.epoch + 1}/{self.epochs}", batch + 1, steps)
        else:
            self._bar.close()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        seconds, metrics = time.monotonic() - self._started, logs or {}
        monitor = self.progress.monitor
        left = 0 if self.progress.exhausted else self.epochs - epoch - 1
        say(
            format_epoch(
                epoch + 1,
                self.epochs,
                metrics["loss"],
                (monitor.removeprefix("val_"), metrics[monitor]) if monitor else None,
                bool(monitor) and self.progress.wait == 0,
                seconds,
                left,
            )
        )
        if steps := self.params["steps"]:
            detail(textwrap.indent(format_metrics(steps, seconds, metrics), "  "))

    def on_train_end(self, logs: dict | None = None) -> None:
        self._bar.close()


def format_epoch(
    epoch: int,
    epochs: int,
    loss: float,
    monitored: tuple[str, float] | None,
    best: bool,
    seconds: float,
    left: int,
) -> str:
    """Formats an epoch in less than 80 columns: `epoch 2/8  loss 0.51  f1 0.71 best  3 s, 18 s
    left`.

    Args:
        epoch: its number, from 1.
        epochs: how many there are in all.
        loss: on the training split.
        monitored: the validation metric that chooses the epoch, with its name; None for no
            validation.
        best: whether it is the best so far.
        seconds: that the epoch took.
        left: epochs that may follow.
    """
    parts = [f"epoch {epoch:{len(str(epochs))}}/{epochs}", f"loss {loss:.4f}"]
    if monitored:
        name, value = monitored
        parts.append(f"{name} {value:.4f} {'best' if best else '    '}")
    rest = f", {format_duration(seconds * left)} left" if left else ""
    parts.append(f"{format_duration(seconds)}{rest}")
    return "  ".join(parts)


def format_metrics(steps: int, seconds: float, metrics: dict[str, float]) -> str:
    """Formats all metrics of an epoch in short lines: `12 steps of 250 ms, loss 0.5000, ...`.

    Args:
        steps: that the epoch has.
        seconds: that it took.
        metrics: by name; small ones get an exponent.
    """
    parts = [f"{steps} steps of {1e3 * seconds / steps:.3g} ms"]
    for name, value in metrics.items():
        parts.append(f"{name} {value:.4f}" if abs(value) > 1e-3 else f"{name} {value:.4e}")
    return textwrap.fill(", ".join(parts), 78, break_long_words=False)
