"""What a chatbot is worth on a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from apps.pages.parts import Part, Table
from models.evaluation.dialogue import dialogue_table

# Dialogues that a page shows.
SHOWN = 30


class Answered(NamedTuple):
    """Turns with what was said next, and what the model says."""

    turns: str
    reference: str
    answer: str


@dataclass(frozen=True)
class ChatReport:
    """The metrics of a chatbot on a split.

    Attributes:
        metrics: of `models.evaluation.dialogue.dialogue_scores`, with `perplexity` per token and
            `perplexity_word`, if they were measured.
        answers: some at even distances, none of them chosen.
    """

    metrics: dict[str, Any]
    answers: tuple[Answered, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        return dialogue_table(self.metrics)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        titles = {
            "perplexity_word": "perplexity per word",
            "bleu_2": "BLEU-2",
            "distinct_2": "distinct-2",
        }
        return {title: self.metrics[name] for name, title in titles.items() if name in self.metrics}

    def describe_worst(self) -> list[Part]:
        """Returns a table of answers. They are not the worst ones: many answers suit a turn, and
        that one which was given is not the measure of a single other one."""
        if not self.answers:
            return []
        return [Table(("turns", "what was said", "answer"), [tuple(row) for row in self.answers])]

    def draw(self, split: str, folder: Path) -> None:
        """Draws nothing."""
