"""An epoch in two lines, as Keras prints it where no progress bar can grow."""

import time

import keras

from data.messages import say


class EpochMessages(keras.callbacks.Callback):
    """Logs the number of each epoch, and its duration and metrics when it is over.

    Keras' own lines go to standard output, wherever messages are wanted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._started = time.monotonic()
        if self.params["epochs"] > 1:
            say(f"Epoch {epoch + 1}/{self.params['epochs']}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if steps := self.params["steps"]:
            say(format_epoch(steps, time.monotonic() - self._started, logs or {}))


def format_epoch(steps: int, seconds: float, metrics: dict[str, float]) -> str:
    """Formats an epoch: `12/12 - 3s - 250ms/step - loss: 0.5000`.

    Args:
        steps: that the epoch has.
        seconds: that it took.
        metrics: by name; small ones get an exponent.
    """
    step = seconds / steps
    if step >= 1:
        duration = f"{step:.0f}s"
    else:
        duration = f"{step * 1e3:.0f}ms" if step >= 1e-3 else f"{step * 1e6:.0f}us"
    parts = [f"{steps}/{steps}", f"{seconds:.0f}s", f"{duration}/step"]
    for name, value in metrics.items():
        parts.append(f"{name}: {value:.4f}" if value > 1e-3 else f"{name}: {value:.4e}")
    return " - ".join(parts)
