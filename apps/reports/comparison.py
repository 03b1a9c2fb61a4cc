"""Several runs side by side: the options in which they differ, and their metrics."""

from pathlib import Path
from typing import Any

from apps.pages.parts import Cell, Paragraph, Part, Section, Table
from apps.reports.run_list import BROKEN, Run, read_run_line
from data.errors import UserError, list_values


def read_compared(paths: list[Path]) -> list[Run]:
    """Reads the runs to compare.

    Raises:
        UserError: fewer than two, or one that cannot be read.
    """
    if len(paths) < 2:
        raise UserError(f"--compare takes two runs or more. Received: {list_values(paths)}")
    runs = [read_run_line(path) for path in paths]
    for run in runs:
        if run.state == BROKEN:
            raise UserError(run.problem)
    return runs


def compare(runs: list[Run]) -> list[Section]:
    """Returns the sections of a comparison: options that differ, then the metrics of each split."""
    names = [str(run.path) for run in runs]
    options = {name: [run.config.get(name) for run in runs] for run in runs for name in run.config}
    different: dict[str, list[Any]] = {
        "application": [run.application for run in runs],
        "data": [run.dataset for run in runs],
        **{f"--{name.replace('_', '-')}": values for name, values in options.items()},
    }
    different = {n: values for n, values in different.items() if len({*map(str, values)}) > 1}
    rows: list[list[Cell]] = [
        [name, *("-" if value is None else str(value) for value in values)]
        for name, values in different.items()
    ]
    parts: list[Part] = [Table(("option", *names), rows)]
    if not rows:
        parts = [Paragraph("All options are the same.")]
    sections = [Section("options", "What differs", parts, {"options": different})]
    for split in dict.fromkeys(split for run in runs for split in run.metrics):
        found = [{each.name: each for each in run.metrics.get(split, ())} for run in runs]
        titles = {each.name: each.title for metrics in found for each in metrics.values()}
        table = [
            [title, *(str(metrics[name]) if name in metrics else "-" for metrics in found)]
            for name, title in titles.items()
        ]
        facts = {
            name: [metrics[name].value if name in metrics else None for metrics in found]
            for name in titles
        }
        shown = [Table((f"{split} (95 % interval)", *names), table)]
        sections.append(Section(split.replace(" ", "_"), f"Metrics on {split}", shown, facts))
    return sections
