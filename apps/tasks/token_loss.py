"""The loss of a validation split: the mean cross-entropy of its tokens."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data.graphs import graph
from models.recurrent.seldom_shapes import for_seldom_shapes
from models.seq2seq.loss import smoothed_cross_entropy


class TokenLoss:
    """Measures a model that writes texts on the tokens of a split, after each epoch.

    Args:
        batches: `ParallelBatches`, or others of inputs and targets <int32>[batch, steps], 0 where
            padded.
    """

    def __init__(self, batches: Any) -> None:
        self.batches = batches
        self._losses: Callable[..., tf.Tensor] | None = None

    def __call__(self, model: keras.Model) -> float:
        """Returns the mean cross-entropy of a token; the model is the same each time."""
        dataset = self.batches.dataset()
        if self._losses is None:

            def losses(inputs: Any, targets: tf.Tensor) -> tf.Tensor:
                # As in serving: each shape is met once an epoch, too seldom to be compiled.
                with for_seldom_shapes():
                    logits = model(inputs, training=False)
                real = tf.cast(targets > 0, tf.float32)
                total = tf.reduce_sum(smoothed_cross_entropy(targets, logits, 0.0) * real)
                return tf.stack([total, tf.reduce_sum(real)])

            # Compiled once for all epochs.
            self._losses = graph(losses, input_signature=dataset.element_spec[:2])
        step = self._losses
        total, tokens = np.sum([step(*batch[:2]).numpy() for batch in dataset], axis=0)
        return float(total / max(tokens, 1.0))
