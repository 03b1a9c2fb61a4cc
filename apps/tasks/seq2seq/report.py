"""What a translator, or another model that writes texts, is worth on a split."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from apps.pages.parts import Part, Table
from models.evaluation import generated_texts, translation

# Translations that a page shows, and those that are scored one by one at most.
_WORST, _MOST_SCORED = 30, 5000


class Translated(NamedTuple):
    """A translation and what it should be.

    Attributes:
        source, reference, translation: the texts.
        chrf: of the translation alone, from 0 to 100.
    """

    source: str
    reference: str
    translation: str
    chrf: float


def find_worst(
    sources: list[str], references: list[str], translations: list[str]
) -> tuple[Translated, ...]:
    """Returns the translations with the lowest chrF, of the first 5,000."""
    rows = itertools.islice(zip(sources, references, translations, strict=True), _MOST_SCORED)
    scored = [Translated(*row, translation.sentence_chrf(row[2], row[1])) for row in rows]
    return tuple(sorted(scored, key=lambda row: row.chrf)[:_WORST])


@dataclass(frozen=True)
class Seq2SeqReport:
    """The metrics of a model that writes texts on a split.

    Attributes:
        metrics: of `models.evaluation.generated_texts.text_report`, or what has its structure.
        title: of the curve in the picture.
        worst: the translations with the lowest chrF, the lowest first.
        answer, answers: what is written, such as `translation`.
    """

    metrics: dict[str, Any]
    title: str
    worst: tuple[Translated, ...] = ()
    answer: str = "translation"
    answers: str = "translations"

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        return generated_texts.text_table(self.metrics, self.answers)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return generated_texts.main_metrics(self.metrics)

    def describe_worst(self) -> list[Part]:
        """Returns the worst translations as a table."""
        if not self.worst:
            return []
        rows = [(f"{e.chrf:.1f}", e.source, e.reference, e.translation) for e in self.worst]
        return [Table(("chrF", "source", "reference", self.answer), rows)]

    def draw(self, split: str, folder: Path) -> None:
        """Draws BLEU by the length of the source into a folder."""
        from apps.plots.translation import bleu_by_length

        curves = {self.title: self.metrics["by_length"]}
        bleu_by_length(curves, folder / f"bleu_by_length_{split}.png")
