"""What a tagger is worth on a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.plots.training import confusion_matrix
from models.evaluation.entities import entity_table, main_metrics


@dataclass(frozen=True)
class TaggingReport:
    """The metrics of a tagger on a split.

    Attributes:
        metrics: of `models.evaluation.entities.entity_metrics`, or what has its structure.
    """

    metrics: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        return entity_table(self.metrics)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return main_metrics(self.metrics)

    def draw(self, split: str, folder: Path) -> None:
        """Draws the confusion matrix of a split into a folder."""
        confusion_matrix(
            np.array(self.metrics["confusion_matrix"]),
            tuple(self.metrics["confusion_names"]),
            folder / f"confusion_{split}.png",
        )
