"""What a tagger is worth on a split."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from apps.pages.parts import MarkedText, Part
from data.examples.tags import Span
from models.evaluation.entities import entity_table, main_metrics

# Texts that a page shows.
_MISTAKES = 30


class Mistake(NamedTuple):
    """A text with entities that are not its own.

    Attributes:
        text: the text.
        true, found: its entities, and those that were found.
    """

    text: str
    true: tuple[Span, ...]
    found: tuple[Span, ...]

    def count_errors(self) -> int:
        """Returns how many entities were missed or invented."""
        return len({*self.true} ^ {*self.found})


def find_mistakes(rows: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Returns those of all texts with most entities missed or invented, the worst first."""
    wrong = [row for row in rows if row.count_errors()]
    return tuple(sorted(wrong, key=lambda row: -row.count_errors())[:_MISTAKES])


@dataclass(frozen=True)
class TaggingReport:
    """The metrics of a tagger on a split.

    Attributes:
        metrics: of `models.evaluation.entities.entity_metrics`, or what has its structure.
        mistakes: the worst texts, the worst first.
    """

    metrics: dict[str, Any]
    mistakes: tuple[Mistake, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        return entity_table(self.metrics)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return main_metrics(self.metrics)

    def describe_worst(self) -> list[Part]:
        """Returns the texts with most mistakes, each with its entities and those found."""
        parts: list[Part] = []
        for each in self.mistakes:
            true, found = {*each.true}, {*each.found}
            parts.append(_mark("true", each.text, each.true, found, "missed"))
            parts.append(_mark("found", each.text, each.found, true, "invented"))
        return parts

    def draw(self, split: str, folder: Path) -> None:
        """Draws the confusion matrix of a split into a folder."""
        from apps.plots.training import confusion_matrix

        confusion_matrix(
            np.array(self.metrics["confusion_matrix"]),
            tuple(self.metrics["confusion_names"]),
            folder / f"confusion_{split}.png",
        )


def _mark(
    label: str, text: str, spans: tuple[Span, ...], others: Collection[Span], wrong: str
) -> MarkedText:
    """Marks the entities of a text; those that are not among the others are `wrong`."""
    entities = [
        (each.start, each.end, each.type if each in others else f"{each.type} ({wrong})", "")
        for each in spans
    ]
    return MarkedText(label, text, entities)
