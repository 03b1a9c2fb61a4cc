"""The validation split of a captioner."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.tasks.captioning.arrays import array_name, make_array
from apps.tasks.captioning.report import measure_captions
from apps.tasks.token_loss import TokenLoss
from data.batches.captions import CaptionBatches
from data.examples.captions import CaptionedPictures
from data.graphs import graph
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
        self.array = make_array(task.model, self.examples)
        captions = task.encode_captions(self.examples)
        # No part of it is left out, but what is beyond the longest caption that is trained on.
        captions = captions.with_values(captions.values[:, : task.config.max_length])
        name = array_name(task.model)
        self.loss = TokenLoss(CaptionBatches(captions, self.array, name, 1, batch_tokens=_TOKENS))
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
        return {"loss": self.loss(model), **metrics}

    def _describer(self) -> Callable[[tf.Tensor], tf.Tensor]:
        task = self.task
        whole = task.model if array_name(task.model) == "images" else task.model.head
        search = replace(task.search(), beam_width=1, n_best=1)

        def describe(array: tf.Tensor) -> tf.Tensor:
            return decode_captions(task.tokenizer, search_captions(whole, array, search)[0][:, 0])

        signature = [tf.TensorSpec([None, *self.array.shape[1:]])]
        return graph(describe, input_signature=signature)
