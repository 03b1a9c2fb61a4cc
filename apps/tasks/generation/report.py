"""What a language model is worth on a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.pages.parts import Part, Table

# Titles of the metrics to compare runs by, and their names in `metrics.json`.
_MAIN = {"nats per token": "nats_per_unit", "perplexity": "perplexity"}


@dataclass(frozen=True)
class PerplexityReport:
    """The metrics of a language model on a split.

    Attributes:
        metrics: of `apps.tasks.generation.perplexity.Perplexity.report`, or what has its structure.
        tokenizer: what the texts are split into, by its name in the options.
        worst: bits a token, tokens and text of those that cost most.
    """

    metrics: dict[str, Any]
    tokenizer: str
    worst: tuple[tuple[float, int, str], ...] = ()

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
        if (backward := metrics.get("backward_nats_per_unit")) is not None:
            cells[f"nats per {token}, read backward"] = f"{backward:.4f}"
        width = max(map(len, cells))
        lines = [f"{title:{width}}  {cell}" for title, cell in cells.items()]
        share = f"{metrics['unknown_share']:.2%} of them unknown"
        return "\n".join([*lines, f"{metrics['units']:,} {self.tokenizer}, {share}"])

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return {title: self.metrics[name] for title, name in _MAIN.items()}

    def describe_worst(self) -> list[Part]:
        """Returns the texts that cost most bits as a table; none if the split is one text."""
        if not self.worst:
            return []
        rows = [(f"{bits:.3f}", tokens, text) for bits, tokens, text in self.worst]
        return [Table((f"bits per {self.tokenizer.rstrip('s')}", "tokens", "text"), rows)]

    def draw(self, split: str, folder: Path) -> None:
        """Draws nothing: there is no picture of a perplexity."""
