"""The validation split of a translator, or another model that writes texts."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from apps.serving.answers import answer_by_length
from apps.tasks.token_loss import TokenLoss
from data.batches.parallel import ParallelBatches
from data.examples.parallel import ParallelTexts
from data.text.tokenizer import Tokenizer
from models.evaluation import generated_texts
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
        self.loss = TokenLoss(ParallelBatches(sources, targets, 1, batch_tokens=_TOKENS))
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
            "loss": self.loss(model),
            **generated_texts.main_scores(
                self.task.config.metrics, written, self.examples.translations
            ),
        }
