"""The validation split of a translator, or another model that writes texts."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from apps.serving.answers import answer_by_length
from apps.tasks.seq2seq.encoding import cut_sources, encode_pairs
from apps.tasks.token_loss import TokenLoss
from data.batches.parallel import ParallelBatches
from data.examples.parallel import ParallelTexts
from models.evaluation import generated_texts
from models.serving.translator import ServingTranslator

# Enough to choose an epoch by; more would take longer than they tell.
_MOST_ROWS = 2000
_TOKENS = 4096


class Seq2SeqValidation:
    """The first rows of the validation split, encoded once.

    Args:
        task: has the config and the tokenizers of both sides, and reads answers.
        examples: the split.
    """

    def __init__(self, task: Any, examples: ParallelTexts):
        self.task = task
        self.examples = examples.take(range(min(_MOST_ROWS, len(examples))))
        config = task.config
        sources, targets = encode_pairs(task.tokenizers, self.examples)
        targets = targets[:, : config.max_length]
        batches = ParallelBatches(cut_sources(config, sources), targets, 1, batch_tokens=_TOKENS)
        self.loss = TokenLoss(batches)
        self._serve: Callable[[tf.Tensor], dict[str, tf.Tensor]] | None = None

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Returns the mean cross-entropy of a token, and its negative or the metrics of greedy
        answers."""
        loss = self.loss(model)
        if self.task.config.monitor == "log_likelihood":
            return {"loss": loss, "log_likelihood": -loss}
        if self._serve is None:
            source, target = self.task.tokenizers
            config = self.task.config
            serving = ServingTranslator(
                source,
                target,
                model,
                self.task.greedy_search(),
                answers=config.answers,
                keeps_end=config.keeps_end,
            )
            self._serve = serving.serve
        rows = answer_by_length(self.task, self._serve, self.examples.texts)
        written = [row[self.task.config.answer] for row in rows]
        return {
            "loss": loss,
            **generated_texts.main_scores(
                self.task.config.metrics, written, self.examples.translations
            ),
        }
