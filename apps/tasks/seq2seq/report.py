"""What a translator is worth on a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.plots.translation import bleu_by_length
from models.evaluation import translation


@dataclass(frozen=True)
class TranslationReport:
    """The metrics of a translator on a split.

    Attributes:
        metrics: of `models.evaluation.translation.translation_report`, or what has its structure.
        title: of the curve in the picture.
    """

    metrics: dict[str, Any]
    title: str

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        return translation.translation_table(self.metrics)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return translation.main_metrics(self.metrics)

    def draw(self, split: str, folder: Path) -> None:
        """Draws BLEU by the length of the source into a folder."""
        curves = {self.title: self.metrics["by_length"]}
        bleu_by_length(curves, folder / f"bleu_by_length_{split}.png")
