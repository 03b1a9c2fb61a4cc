"""The moving average of the weights over the updates of a training."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from data.graphs import graph
from models.compilation import compiled_loops

# From this size on, compiled code is faster: it passes over the memory once. Smaller weights do not
# make up for the time of the call.
_LARGE = 2**16


class WeightAverage:
    """Keeps an exponential moving average of each weight (Polyak & Juditsky 1992, "Acceleration of
    stochastic approximation by averaging"; Tarvainen & Valpola 2017, "Mean teachers").

    After update `t`, counted from 0, it is `d average + (1 - d) weight` with
    `d = min(decay, (1 + t) / (10 + t))`, so that the average soon forgets the initial weights.
    The averages belong to the optimizer: whatever saves its state saves them.

    Keras' `use_ema` differs: at the end of each `fit` the averages replace the weights, steps that
    only accumulate gradients count as updates, and the initial weights are not forgotten.
    `keras.callbacks.SwapEMAWeights` swaps by sums and differences, which round: the training would
    go on with other weights.

    Args:
        add_variable: the method of the optimizer that takes a weight and makes a variable of its
            shape, dtype and device.
        variables: the weights; float32, also in a training in half precision.
        decay: in (0, 1).
    """

    def __init__(self, add_variable: Callable, variables: list, decay: float):
        self.variables, self.decay = list(variables), decay
        self.averages = [
            add_variable(variable, name="average", initializer=_copy_value(variable))
            for variable in variables
        ]

    def update(self, index: int, weight: tf.Variable, done: tf.Tensor) -> None:
        """Moves one average towards its weight, after the update of the weight.

        Args:
            index: of the weight.
            weight: <float>[...], on the device of the average.
            done: <int>[], updates before this one.
        """
        average = self.averages[index].value
        share = tf.maximum(1.0 - self.decay, 9.0 / (10.0 + tf.cast(done, tf.float32)))
        large = weight.shape.num_elements() >= _LARGE
        move = _move_in_one_pass if large and compiled_loops() else _move
        old, new = tf.convert_to_tensor(average), tf.convert_to_tensor(weight)
        average.assign(move(old, new, tf.cast(share, weight.dtype)))


def _copy_value(variable: keras.Variable) -> Callable:
    """Returns an initializer that copies the value of a variable."""

    def initializer(shape: tuple, dtype: Any = None) -> tf.Tensor:
        # An optimizer may be built while its first step is traced.
        with tf.init_scope():
            return tf.cast(tf.convert_to_tensor(variable), dtype)

    return initializer


def _move(average: tf.Tensor, weight: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    return average + share * (weight - average)


_move_in_one_pass = graph(_move, jit_compile=True)
