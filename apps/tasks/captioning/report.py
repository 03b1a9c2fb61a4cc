"""What a captioner is worth on a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from apps.pages.parts import Part, Table
from data.examples.captions import CaptionedPictures
from data.scenes.accuracy import scene_accuracy
from data.scenes.corpus import Scene
from models.evaluation.captions.cider import cider_d
from models.evaluation.captions.metrics import caption_metrics, caption_table, main_metrics
from models.evaluation.captions.words import compared_words

# Captions that a page shows.
_WORST = 30
# What a caption of a scene can be right in, in the order of the table.
_RESPECTS = ("caption", "sentence", "number", "size", "colour", "shape", "relation")


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


def measure_captions(captions: list[str], examples: CaptionedPictures) -> dict[str, Any]:
    """Computes all metrics of a split.

    Args:
        captions: one a picture.
        examples: the pictures with their references.

    Returns:
        As `models.evaluation.captions.metrics.caption_metrics`; `exact`, the share of captions that
        are wholly right, from 0 to 1: of drawn scenes those that say what is in them, of other
        pictures those that are a reference, word by word; and of scenes `scenes`, as
        `data.scenes.accuracy.scene_accuracy`.
    """
    found = caption_metrics(captions, examples.captions)
    scenes = [each.attributes for each in examples.pictures if isinstance(each, Scene)]
    if len(scenes) == len(examples):
        shares = scene_accuracy(captions, scenes)
        return {**found, "exact": shares["caption"], "scenes": shares}
    pairs = zip(captions, examples.captions, strict=True)
    right = sum(compared_words(said) in map(compared_words, wanted) for said, wanted in pairs)
    return {**found, "exact": right / len(captions)}


def find_worst(captions: list[str], examples: CaptionedPictures) -> tuple[Captioned, ...]:
    """Returns the captions with the lowest CIDEr-D, the lowest first."""
    said = [compared_words(caption) for caption in captions]
    wanted = [[compared_words(each) for each in group] for group in examples.captions]
    scores = cider_d(said, wanted).tolist()
    rows = zip(examples.texts, examples.captions, captions, scores, strict=True)
    return tuple(sorted((Captioned(*row) for row in rows), key=lambda row: row.score)[:_WORST])


@dataclass(frozen=True)
class CaptionReport:
    """The metrics of a captioner on a split.

    Attributes:
        metrics: of `measure_captions`, or what has its structure.
        worst: the captions with the lowest score, the lowest first.
    """

    metrics: dict[str, Any]
    worst: tuple[Captioned, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        lines = [caption_table(self.metrics)]
        shares = self.metrics.get("scenes")
        if shares is None:
            return "\n".join([*lines, f"{self.metrics['exact']:.1%} are one of the references"])
        lines.append(f"right of {shares['scenes']:,} scenes:")
        lines += [f"  {name:8}  {shares[name]:6.1%}" for name in _RESPECTS if name in shares]
        return "\n".join(lines)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        found = main_metrics(self.metrics)
        return {**found, "exact": self.metrics["exact"]} if "scenes" in self.metrics else found

    def describe_worst(self) -> list[Part]:
        """Returns the worst captions as a table."""
        if not self.worst:
            return []
        rows = [(e.score, e.picture, " / ".join(e.references), e.caption) for e in self.worst]
        return [Table(("CIDEr-D", "picture", "references", "caption"), rows)]

    def draw(self, split: str, folder: Path) -> None:
        """Draws nothing."""
