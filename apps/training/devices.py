"""The devices that share a training's batches."""

import contextlib

import tensorflow as tf

from apps.config.training import TrainingConfig
from data.errors import UserError


def names(most: int) -> list[str]:
    """The GPUs, or without one the CPU, as TensorFlow names them.

    Args:
        most: no more than this many; 0 for all.
    """
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found][: most or None]


def distribution_scope(config: TrainingConfig) -> contextlib.AbstractContextManager:
    """A context in which to build a model: in its training each batch is cut into equal parts, one
    a device, and their gradients are summed. With one device it changes nothing.

    Raises:
        UserError: what compiles for one device has several.
    """
    devices = names(config.devices)
    if len(devices) == 1:
        return contextlib.nullcontext()
    if config.jit:
        raise UserError(f"--jit compiles for one device, here are {len(devices)}. Pass --devices 1")
    return tf.distribute.MirroredStrategy(devices).scope()
