"""The validation split of a captioner."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.tasks.captioning.arrays import array_name, make_array
from apps.tasks.captioning.report import measure_captions
from data.batches.captions import CaptionBatches
from data.examples.captions import CaptionedPictures
from data.graphs import graph
from models.recurrent.seldom_shapes import for_seldom_shapes
from models.seq2seq.loss import smoothed_cross_entropy
from models.serving.captioner import decode_captions, search_captions

# Enough to choose an epoch by; more would take longer than they tell.
_MOST_PICTURES = 1000
_CHUNK, _TOKENS = 128, 4096


class CaptioningValidation:
    """The first pictures of the validation split, encoded once.

    Args:
        task: has the config, the tokenizer and the captioner whose weights are validated.
        examples: the split.
    """

    def __init__(self, task: Any, examples: CaptionedPictures):
        self.task = task
        self.examples = examples.take(range(min(_MOST_PICTURES, len(examples))))
        self.array = make_array(task.captioner, self.examples)
        captions = task.encode_captions(self.examples)
        # No part of it is left out, but what is beyond the longest caption that is trained on.
        captions = captions.with_values(captions.values[:, : task.config.max_length])
        self.batches = CaptionBatches(
            captions, self.array, array_name(task.captioner), 1, batch_tokens=_TOKENS
        )
        self._losses: Callable[..., tf.Tensor] | None = None
        self._describe: Callable[[tf.Tensor], tf.Tensor] | None = None

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Returns the mean cross-entropy of a token, and the metrics of greedy captions.

        Args:
            model: what is trained of the task's captioner, of the same layers.
        """
        if self._describe is None:
            self._describe = self._describer()
        captions: list[str] = []
        for start in range(0, len(self.array), _CHUNK):
            chunk = tf.constant(self.array[start : start + _CHUNK].astype(np.float32))
            captions += [text.decode() for text in self._describe(chunk).numpy()]
        found = measure_captions(captions, self.examples)
        metrics = {name: value for name, value in found.items() if isinstance(value, float)}
        return {"loss": self._loss(model), **metrics}

    def _describer(self) -> Callable[[tf.Tensor], tf.Tensor]:
        task = self.task
        whole = task.captioner if array_name(task.captioner) == "images" else task.captioner.head
        search = replace(task.search(), beam_width=1, n_best=1)

        def describe(array: tf.Tensor) -> tf.Tensor:
            return decode_captions(task.tokenizer, search_captions(whole, array, search)[0][:, 0])

        signature = [tf.TensorSpec([None, *self.array.shape[1:]])]
        return graph(describe, input_signature=signature)

    def _loss(self, model: keras.Model) -> float:
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
