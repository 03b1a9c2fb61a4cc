"""Dynamic evaluation: a language model that learns from the text that it is measured on."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data.batches.streams import Streams
from data.graphs import graph

# The part of the way back to the trained weights that a step takes, on average over the weights.
_DECAY = 1e-3


class DynamicEvaluation:
    """Measures each window of a text, and only then learns from it (Krause et al. 2018, "Dynamic
    Evaluation of Neural Sequence Models").

    After a window with the gradients g, a weight w that was trained to w0 becomes

        w + min(1, decay * r / m) * (w0 - w) - rate * g / (r + m)

    with r, the root of the mean square of the weight's gradients, and m, the mean of r over all
    weights. This is the paper's rule, but for the windows of which r is the mean: those that were
    read so far, not those of the training text. A weight that has little effect on the loss moves
    as far as others do, and one that has much comes back sooner.

    Args:
        model: a `models.language_model.language_model.LanguageModel` or an ensemble of such. Its
            weights are its own again when `nats` returns.
        rate: of learning.
    """

    def __init__(self, model: Any, rate: float):
        self._model, self._rate = model, rate
        self._weights: list[keras.Variable] = model.trainable_weights

    def nats(self, streams: Streams) -> np.ndarray:
        """Returns the negative log-likelihood of each window, <float64>[steps], in nats.

        Args:
            streams: of one row, in the order in which the texts are read.
        """
        model = self._model
        trained = [tf.identity(weight) for weight in self._weights]
        squares = [tf.Variable(tf.zeros_like(weight)) for weight in trained]

        def step(
            inputs: dict[str, tf.Tensor],
            targets: tf.Tensor,
            states: list[tf.Tensor],
            number: tf.Tensor,
        ) -> tuple[tf.Tensor, list[tf.Tensor]]:
            nats, states, gradients = self._measure(inputs, targets, states)
            self._learn(trained, squares, gradients, number)
            return nats, states

        traced = graph(step, reduce_retracing=True)
        states = model.initial_states(1, tf.zeros([1], tf.int32))
        found = []
        try:
            for number, (inputs, targets) in enumerate(streams.dataset(), 1):
                nats, states = traced(inputs, targets, states, tf.constant(float(number)))
                found.append(float(nats))
        finally:
            for weight, value in zip(self._weights, trained, strict=True):
                weight.assign(value)
        return np.array(found)

    def _measure(
        self, inputs: dict[str, tf.Tensor], targets: tf.Tensor, states: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
        """Returns the nats of a window, the states after it, and the gradients of its mean loss."""
        model, real = self._model, targets != 0
        with tf.GradientTape() as tape:
            fresh = model.initial_states(1, inputs.get("labels"))
            starts = inputs["starts"][:, None]
            states = [tf.where(starts, new, old) for new, old in zip(fresh, states, strict=True)]
            outputs, states = model.run_stack(inputs["token_ids"], states)
            logits = model.compute_logits(model.project(outputs))
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            nats = tf.reduce_sum(tf.where(real, losses, 0.0))
            mean = tf.math.divide_no_nan(nats, tf.reduce_sum(tf.cast(real, nats.dtype)))
        found = tape.gradient(
            mean, self._weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        gradients = [
            tf.ensure_shape(tf.convert_to_tensor(gradient), weight.shape)
            for gradient, weight in zip(found, self._weights, strict=True)
        ]
        return nats, states, gradients

    def _learn(
        self,
        trained: Sequence[tf.Tensor],
        squares: Sequence[tf.Variable],
        gradients: Sequence[tf.Tensor],
        number: tf.Tensor,
    ) -> None:
        """Changes the weights after window `number`, counted from 1; see the class."""
        for total, gradient in zip(squares, gradients, strict=True):
            total.assign_add(tf.square(gradient))
        roots = [tf.sqrt(total / number) for total in squares]
        size = float(sum(np.prod(weight.shape) for weight in self._weights))
        mean = tf.add_n([tf.reduce_sum(root) for root in roots]) / size
        for weight, first, gradient, root in zip(
            self._weights, trained, gradients, roots, strict=True
        ):
            back = tf.minimum(tf.math.divide_no_nan(_DECAY * root, mean), 1.0)
            move = tf.math.divide_no_nan(self._rate * gradient, root + mean)
            weight.assign_add(back * (first - weight) - move)
