"""The devices that share a training's batches, of this process or of a group."""

import contextlib

import tensorflow as tf

from apps.config.training import TrainingConfig
from apps.training.workers.group import joined
from data.errors import UserError


def names(most: int) -> list[str]:
    """Returns TensorFlow's names of the GPUs, or of the CPU where there is none.

    Args:
        most: no more than this many; 0 for all. The processes of a group have one each, or all.
    """
    if (group := joined()) is not None:
        return group.device_names()
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found][: most or None]


def distribution_scope(config: TrainingConfig) -> contextlib.AbstractContextManager:
    """Returns a context in which to build a model: its training cuts each batch into equal parts,
    one a device, and sums their gradients. With one device it changes nothing.

    Raises:
        UserError: there are several devices for a training step that compiles for one.
    """
    if (group := joined()) is not None:
        return group.strategy.scope()
    devices = names(config.devices)
    if len(devices) == 1:
        return contextlib.nullcontext()
    if config.jit:
        raise UserError(f"--jit compiles for one device, here are {len(devices)}. Pass --devices 1")
    return tf.distribute.MirroredStrategy(devices).scope()
