"""The validation split of a translator, or another model that writes texts."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.serving.answers import answer_by_length
from data.batches.parallel import ParallelBatches
from data.examples.parallel import ParallelTexts
from data.graphs import graph
from data.text.tokenizer import Tokenizer
from models.evaluation import generated_texts
from models.recurrent.seldom_shapes import for_seldom_shapes
from models.seq2seq.loss import smoothed_cross_entropy
from models.serving.translator import ServingTranslator

# Enough to choose an epoch by; more would take longer than they tell.
_MOST_ROWS = 2000
_TOKENS = 4096


def encode_pairs(
    tokenizers: tuple[Tokenizer, Tokenizer], examples: ParallelTexts
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Encodes both sides of all pairs: <int32>[rows, (length)] each."""
    source, target = tokenizers
    return source.encode_all(examples.texts), target.encode_all(examples.translations)


class Seq2SeqValidation:
    """The first rows of the validation split, encoded once.

    Args:
        task: has the config and the tokenizers of both sides, and reads answers.
        examples: the split.
    """

    def __init__(self, task: Any, examples: ParallelTexts):
        self.task = task
        self.examples = examples.take(range(min(_MOST_ROWS, len(examples))))
        lengths = (task.config.source_length, task.config.max_length)
        sides = encode_pairs(task.tokenizers, self.examples)
        sources, targets = (side[:, :most] for side, most in zip(sides, lengths, strict=True))
        self.batches = ParallelBatches(sources, targets, 1, batch_tokens=_TOKENS)
        self._losses: Callable[..., tf.Tensor] | None = None
        self._serve: Callable[[tf.Tensor], dict[str, tf.Tensor]] | None = None

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Returns the mean cross-entropy of a token, and the metrics of greedy answers."""
        if self._serve is None:
            source, target = self.task.tokenizers
            search, answers = self.task.greedy_search(), self.task.config.answers
            serving = ServingTranslator(source, target, model, search, answers=answers)
            self._serve = serving.serve
        rows = answer_by_length(self.task, self._serve, self.examples.texts)
        written = [row[self.task.config.answer] for row in rows]
        return {
            "loss": self._loss(model),
            **generated_texts.main_scores(
                self.task.config.metrics, written, self.examples.translations
            ),
        }

    def _loss(self, model: keras.Model) -> float:
        dataset = self.batches.dataset()
        if self._losses is None:

            def losses(ids: Any, targets: tf.Tensor) -> tf.Tensor:
                # As in serving: each shape is met once an epoch, too seldom to be compiled.
                with for_seldom_shapes():
                    logits = model(ids, training=False)
                real = tf.cast(targets > 0, tf.float32)
                total = tf.reduce_sum(smoothed_cross_entropy(targets, logits, 0.0) * real)
                return tf.stack([total, tf.reduce_sum(real)])

            # Compiled once for all epochs.
            self._losses = graph(losses, input_signature=dataset.element_spec[:2])
        step = self._losses
        total, tokens = np.sum([step(*batch[:2]).numpy() for batch in dataset], axis=0)
        return float(total / max(tokens, 1.0))
