"""What a captioner is worth on a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from apps.pages.parts import Part, Table
from data.examples.captions import CaptionedPictures
from models.evaluation import captions as evaluation

# Captions that a page shows.
_WORST = 30


class Captioned(NamedTuple):
    """A caption and what it could be.

    Attributes:
        picture: its name.
        references, caption: the sentences.
        score: of the caption alone.
    """

    picture: str
    references: tuple[str, ...]
    caption: str
    score: float


@dataclass(frozen=True)
class CaptionReport:
    """The metrics of a captioner on a split.

    Attributes:
        metrics: of `models.evaluation.captions`, and `scenes`, the shares of right attributes,
            where pictures are drawn.
        worst: the captions with the lowest score, the lowest first.
    """

    metrics: dict[str, Any]
    worst: tuple[Captioned, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        return str(self.metrics)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return {"CIDEr-D": self.metrics["cider"]}

    def describe_worst(self) -> list[Part]:
        """Returns the worst captions as a table."""
        if not self.worst:
            return []
        rows = [(e.score, e.picture, " / ".join(e.references), e.caption) for e in self.worst]
        return [Table(("CIDEr-D", "picture", "references", "caption"), rows)]

    def draw(self, split: str, folder: Path) -> None:
        """Draws nothing."""


def measure_captions(captions, examples):
    return evaluation.caption_metrics(captions, examples.captions)

def find_worst(captions, examples):
    return ()
