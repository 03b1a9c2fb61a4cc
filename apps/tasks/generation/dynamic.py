"""What `evaluate --dynamic` measures: a language model that learns from what it has read."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from apps.tasks.generation.perplexity import Perplexity
from apps.tasks.generation.report import PerplexityReport
from data.batches.streams import Streams
from data.errors import UserError
from data.examples.documents import Documents
from data.messages import say
from models.language_model.dynamic_evaluation import DynamicEvaluation

# Tokens that are read until the model learns from them.
_LENGTH = 32


@dataclass(frozen=True)
class DynamicReport(PerplexityReport):
    """The metrics of a language model that has learned from the text before each token."""

    def table(self) -> str:
        return f"learning from the text that it has read\n{super().table()}"


@dataclass(frozen=True)
class DynamicMeasurement:
    """What `evaluate` measures with `--dynamic` (an `apps.tasks.task.Measurement`).

    Attributes:
        rate: of learning.
    """

    name: ClassVar[str] = "dynamic"

    rate: float

    def measure(self, task: Any, examples: Documents) -> DynamicReport:
        """Measures a trained `apps.tasks.generation.task.TextGeneration` on a split, whose texts
        are read in their order."""
        model, ends = task.language_model.without_backward(), task.ends
        streams = Streams(
            task.tokenizer.encode_all(examples.texts),
            1,
            _LENGTH,
            ends=ends and examples.whole,
            labels=examples.labels,
        )
        say(f"learning from {streams.steps(0):,} windows of {_LENGTH} tokens ...")
        nats = DynamicEvaluation(model, self.rate).nats(streams)
        if not np.isfinite(nats).all():
            raise UserError(f"--dynamic {self.rate:g}: the model diverged. Choose a lower rate")
        metrics = Perplexity(model, task.tokenizer, examples, ends).report(nats)
        return DynamicReport({**metrics, "rate": self.rate}, task.config.tokenizer)
