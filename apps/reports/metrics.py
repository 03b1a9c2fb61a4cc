"""The metrics of a split that matter most, with their intervals, from what `metrics.json` holds."""

from collections.abc import Iterator
from typing import Any, NamedTuple

# Titles of metrics by their names in `metrics.json`, the most important first; a split has those of
# its kind of task.
TITLES = {
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "average_precision": "average precision",
    "exact": "wholly right",
    "cider_d": "CIDEr-D",
    "perplexity_word": "perplexity per word",
    "bleu_2": "BLEU-2",
    "bleu_4": "BLEU-4",
    "distinct_1": "distinct-1",
    "distinct_2": "distinct-2",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "bleu": "BLEU",
    "chrf": "chrF",
    "bits_per_character": "bits per character",
    "perplexity": "perplexity",
    "bits_per_unit": "bits per token",
}
# Those of which the lower one is better.
LOWER_IS_BETTER = {"bits_per_character", "perplexity", "perplexity_word", "bits_per_unit"}


class Metric(NamedTuple):
    """A number that was measured on a split.

    Attributes:
        name: in `metrics.json`; those of a class have its name behind `f1 `.
        title: for people.
        value: the number.
        interval: the ends of the 95 % interval, or None.
    """

    name: str
    title: str
    value: float
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        ends = "" if self.interval is None else " ({:.3g} - {:.3g})".format(*self.interval)
        return f"{self.value:.4g}{ends}"


def list_metrics(metrics: dict[str, Any]) -> list[Metric]:
    """Returns the metrics of a split in the order of `TITLES`, then F1 by class or type.

    Args:
        metrics: of a split, an object of `metrics.json`; what is none is passed over.
    """
    return list(_find(metrics))


def _find(metrics: dict[str, Any]) -> Iterator[Metric]:
    intervals = metrics.get("intervals")
    intervals = intervals if isinstance(intervals, dict) else {}
    for name, title in TITLES.items():
        value = metrics.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield Metric(name, title, float(value), _interval(intervals, name))
    per_class = metrics.get("per_class")
    for name, row in per_class.items() if isinstance(per_class, dict) else ():
        value = row.get("f1") if isinstance(row, dict) else None
        if isinstance(value, int | float):
            interval = _interval(intervals, f"f1 {name}")
            yield Metric(f"f1 {name}", f"F1 {name}", float(value), interval)


def _interval(intervals: dict[str, Any], name: str) -> tuple[float, float] | None:
    match intervals.get(name):
        case [int() | float() as low, int() | float() as high]:
            return float(low), float(high)
    return None
