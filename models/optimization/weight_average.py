"""The moving average of the weights over the updates of a training."""

from collections.abc import Callable

import tensorflow as tf

from data.graphs import graph
from models.compilation import compiled_loops

# Of so many numbers, what XLA compiles is faster: it reads and writes them once. For fewer it takes
# longer to be called.
_LARGE = 2**16


class WeightAverage:
    """An exponential moving average of each weight (Polyak & Juditsky 1992, "Acceleration of
    stochastic approximation by averaging"; Tarvainen & Valpola 2017, "Mean teachers").

    After update `t`, counted from 0, it is `d average + (1 - d) weight` with
    `d = min(decay, (1 + t) / (10 + t))`, so that what the training begins with is soon forgotten.
    The averages belong to the optimizer: whatever saves its state saves them.

    Keras' `use_ema` is something else: the end of each `fit` puts its averages in the place of the
    weights, steps that only accumulate count as updates, and nothing forgets the first ones.
    `keras.callbacks.SwapEMAWeights` exchanges by sums and differences, which round: the training
    would go on with other weights.

    Args:
        add_variable: the optimizer's, which takes a weight whose shape, precision and place the new
            variable has.
        variables: the weights; float32, also in a training in half precision.
        decay: in (0, 1).
    """

    def __init__(self, add_variable: Callable, variables: list, decay: float):
        self.variables, self.decay = list(variables), decay
        self.averages = [
            add_variable(variable, name="average", initializer=_as_it_is(variable))
            for variable in variables
        ]

    def update(self, index: int, weight: tf.Variable, done: tf.Tensor) -> None:
        """Moves one average, after the update of its weight.

        Args:
            index: of the weight.
            weight: <float>[...], on the device whose average shall move.
            done: <int>[], updates before this one.
        """
        average = self.averages[index].value
        share = tf.maximum(1.0 - self.decay, 9.0 / (10.0 + tf.cast(done, tf.float32)))
        large = weight.shape.num_elements() >= _LARGE
        move = _moved_in_one_pass if large and compiled_loops() else _moved
        values = (tf.convert_to_tensor(each) for each in (average, weight))
        average.assign(move(*values, tf.cast(share, weight.dtype)))


def _as_it_is(variable) -> Callable:
    """An initializer: the variable's value."""

    def initializer(shape, dtype=None):
        # An optimizer may be built while its first step is traced.
        with tf.init_scope():
            return tf.cast(tf.convert_to_tensor(variable), dtype)

    return initializer


def _moved(average, weight, share):
    return average + share * (weight - average)


_moved_in_one_pass = graph(_moved, jit_compile=True)
