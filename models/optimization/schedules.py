"""Schedules of the learning rate: a linear warm-up, then a fall of a given shape."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from data.errors import choose

# An exponential falls to this share of the peak learning rate.
_EXPONENTIAL_END = 0.01


def constant(progress: keras.KerasTensor) -> keras.KerasTensor:
    """Returns 1 for any `progress` in [0, 1]."""
    return ops.ones_like(progress)


def linear(progress: keras.KerasTensor) -> keras.KerasTensor:
    """Falls from 1 to 0 along a line."""
    return 1.0 - progress


def cosine(progress: keras.KerasTensor) -> keras.KerasTensor:
    """Falls from 1 to 0 along half a cosine (Loshchilov & Hutter 2017, one cycle)."""
    return 0.5 * (1.0 + ops.cos(math.pi * progress))


def exponential(progress: keras.KerasTensor) -> keras.KerasTensor:
    """Falls from 1 to 0.01 by equal factors."""
    return ops.exp(math.log(_EXPONENTIAL_END) * progress)


SCHEDULES: dict[str, Callable] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "exponential": exponential,
}


@keras.saving.register_keras_serializable(package="models")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises along a line for `warmup_steps`, then falls until `total_steps`.

    Args:
        highest: the peak learning rate, at the end of the rise.
        shape: of the fall, a name in `models.registry.SCHEDULES`.
        warmup_steps: steps of the rise; it starts at `highest / (warmup_steps + 1)`.
        total_steps: steps of the rise and the fall together.

    Raises:
        ValueError: unknown `shape`.
    """

    def __init__(self, highest: float, shape: str, warmup_steps: int, total_steps: int):
        self.highest, self.shape = highest, shape
        self.warmup_steps, self.total_steps = warmup_steps, total_steps
        self.fall = choose("schedule", shape, SCHEDULES)

    def __call__(self, step: Any) -> keras.KerasTensor:
        step = ops.cast(step, "float32")
        rise = (step + 1.0) / (self.warmup_steps + 1.0)
        progress = (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps)
        fall = self.fall(ops.clip(progress, 0.0, 1.0))
        return self.highest * ops.where(step < self.warmup_steps, rise, fall)

    def get_config(self) -> dict:
        return {
            "highest": self.highest,
            "shape": self.shape,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }
