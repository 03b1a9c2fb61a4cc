"""What one recipe is worth, and how far its seeds are apart."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.tasks.task import Report


@dataclass(frozen=True)
class SeedSummary:
    """The metrics of several seeds on one split.

    Counts, names and lists are left out, and so is a metric that one of the members lacks.

    Attributes:
        members: the metrics of each seed.
        mean: of all members, with the structure of their metrics.
        deviation: the standard deviation of a sample, likewise; None for a single member.
    """

    members: dict[str, dict[str, Any]]
    mean: dict[str, Any]
    deviation: dict[str, Any]

    @classmethod
    def collect(cls, metrics: dict[int, dict[str, Any]]) -> "SeedSummary":
        """Returns the summary of the metrics of one split, by seed."""
        members = {str(seed): _select_numbers(values) for seed, values in metrics.items()}
        all_values = list(members.values())
        return cls(
            members,
            _combine(all_values, statistics.fmean),
            _combine(all_values, lambda x: statistics.stdev(x) if len(x) > 1 else None),
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the summary as `metrics.json` holds it."""
        return {"members": self.members, "mean": self.mean, "deviation": self.deviation}

    def table(self, read_report: Callable[[dict], Report]) -> str:
        """Formats the main metrics for the terminal.

        Args:
            read_report: of the task, makes a report of metrics.
        """
        members = [read_report(metrics).main_metrics() for metrics in self.members.values()]
        mean, deviation = (
            read_report(metrics).main_metrics() for metrics in (self.mean, self.deviation)
        )
        width = max(map(len, mean))
        lines = [f"seeds {', '.join(self.members)}: mean, standard deviation, each"]
        for title in mean:
            spread = "-" if deviation[title] is None else f"{deviation[title]:.3f}"
            values = " ".join(f"{metrics[title]:.3f}" for metrics in members)
            lines.append(f"{title:{width}}  {mean[title]:.3f} +/- {spread:5}  ({values})")
        return "\n".join(lines)


def _select_numbers(metrics: dict[str, Any]) -> dict[str, Any]:
    """Returns the numbers with a fraction, in the structure in which they stand."""
    kept = {
        name: _select_numbers(value) if isinstance(value, dict) else value
        for name, value in metrics.items()
        if isinstance(value, dict | float)
    }
    return {name: value for name, value in kept.items() if value != {}}


def _combine(
    metrics: list[dict[str, Any]], function: Callable[[list[float]], float | None]
) -> dict[str, Any]:
    """Returns what a function makes of the values of each metric."""
    return {
        name: _combine([values[name] for values in metrics], function)
        if isinstance(value, dict)
        else function([values[name] for values in metrics])
        for name, value in metrics[0].items()
        if all(name in values for values in metrics)
    }
