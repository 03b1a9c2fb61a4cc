"""What a language model is worth on a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Titles of the metrics to compare runs by, and their names in `metrics.json`.
_MAIN = {"nats per token": "nats_per_unit", "perplexity": "perplexity"}


@dataclass(frozen=True)
class PerplexityReport:
    """The metrics of a language model on a split.

    Attributes:
        metrics: of `apps.tasks.generation.perplexity.Perplexity.report`, or what has its structure.
        tokenizer: what the texts are split into, by its name in the options.
    """

    metrics: dict[str, Any]
    tokenizer: str

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        metrics, token = self.metrics, self.tokenizer.rstrip("s")
        cells = {
            f"nats per {token}": f"{metrics['nats_per_unit']:.4f}",
            f"bits per {token}": f"{metrics['bits_per_unit']:.4f}",
            f"perplexity per {token}": f"{metrics['perplexity']:.2f}",
        }
        if self.tokenizer != "characters" and metrics["bits_per_character"] is not None:
            cells["bits per character"] = f"{metrics['bits_per_character']:.4f}"
        width = max(map(len, cells))
        lines = [f"{title:{width}}  {cell}" for title, cell in cells.items()]
        share = f"{metrics['unknown_share']:.2%} of them unknown"
        return "\n".join([*lines, f"{metrics['units']:,} {self.tokenizer}, {share}"])

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return {title: self.metrics[name] for title, name in _MAIN.items()}

    def draw(self, split: str, folder: Path) -> None:
        """Draws nothing: there is no picture of a perplexity."""
