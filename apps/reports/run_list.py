"""The runs in a folder, a line each: what they are, how good, how large and whether whole."""

import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from apps.pages.parts import Cell, Table
from apps.reports.metrics import Metric, list_metrics
from apps.runs.contents import CONFIG, METRICS, MODEL
from apps.runs.description import RunDescription
from apps.runs.folder import RunFolder, read_object
from data.errors import UserError

FINISHED, UNFINISHED, BROKEN = "finished", "unfinished", "broken"
# Folders below the given one that are looked into, and how deep.
_MOST_FOLDERS, _DEEPEST = 10_000, 4
# The splits whose metrics a list shows, the first of them that there is.
_SPLITS = ("test", "validation")


@dataclass(frozen=True)
class Run:
    """A run, or what is left of one.

    Attributes:
        path: of its folder.
        state: `finished`, `unfinished` or `broken`.
        application, dataset: their names.
        metrics: of each split.
        size: bytes of the folder.
        seconds: that the training took.
        date: when its description was written, in the local time.
        problem: why it is broken.
        config: the options.
    """

    path: Path
    state: str
    application: str = ""
    dataset: str = ""
    metrics: dict[str, list[Metric]] = field(default_factory=dict)
    size: int = 0
    seconds: float | None = None
    date: str = ""
    problem: str = ""
    config: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns the run as JSON values."""
        metrics = {
            split: {each.name: {"value": each.value, "interval": each.interval} for each in found}
            for split, found in self.metrics.items()
        }
        return {**asdict(self), "path": str(self.path), "metrics": metrics}


def find_runs(folder: Path) -> list[Run]:
    """Finds the runs in a folder and below it, those that a training has not finished among them.

    A run that cannot be read is one, too: it is `broken`, and says why.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"no folder {str(folder)!r}. Pass one that holds runs")
    found = []
    for seen, (place, folders, files) in enumerate(os.walk(folder)):
        path = Path(place)
        folders.sort()
        depth = len(path.relative_to(folder).parts)
        if depth >= _DEEPEST or seen > _MOST_FOLDERS:
            folders.clear()
        if path.name.startswith(".") and path.name.endswith(".training"):
            if CONFIG in files:
                found.append(read_unfinished(path))
            folders.clear()
        elif CONFIG in files or MODEL in files:
            found.append(read_run_line(path))
            # Members of a run, and its logs, are no runs of their own here.
            folders[:] = [name for name in folders if name.startswith(".")]
    return found


def read_run_line(path: Path) -> Run:
    """Returns what is known of a run, without its model; a broken one says why it is."""
    try:
        description = RunFolder(path).describe()
        stored = read_object(path / METRICS) if (path / METRICS).exists() else {}
    except (UserError, OSError) as mistake:
        return Run(path, BROKEN, problem=" ".join(str(mistake).split()))
    return _line(path, FINISHED, description, stored)


def read_unfinished(path: Path) -> Run:
    """Returns what is known of a training that has not ended; `path` is its folder."""
    run = path.with_name(path.name.removeprefix(".").removesuffix(".training"))
    try:
        description = RunDescription.from_json(read_object(path / CONFIG) | {"format": 1})
    except (UserError, ValueError, OSError) as mistake:
        return Run(run, BROKEN, problem=" ".join(str(mistake).split()))
    return _line(path, UNFINISHED, description, {}, run)


def _line(
    path: Path,
    state: str,
    description: RunDescription,
    stored: dict[str, Any],
    name: Path | None = None,
) -> Run:
    splits = {split: list_metrics(each) for split, each in stored.items() if isinstance(each, dict)}
    return Run(
        name or path,
        state,
        description.application,
        description.provenance.dataset or str(description.config.get("dataset", "")),
        {split: found for split, found in splits.items() if found},
        _size_of(path),
        description.training_seconds,
        _date_of(path / CONFIG),
        config=description.config,
    )


def _size_of(path: Path) -> int:
    size = 0
    for place, _, files in os.walk(path):
        for name in files:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # it has just been replaced
                continue
    return size


def _date_of(path: Path) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
    except OSError:
        return ""


def table_of(runs: list[Run], folder: Path) -> Table:
    """Returns the runs as a table; paths are shown from `folder` on."""
    head = ("run", "application", "data", "split", "metrics", "MiB", "seconds", "written", "state")
    return Table(head, [_cells(run, folder) for run in runs])


def _cells(run: Run, folder: Path) -> list[Cell]:
    name = os.path.relpath(run.path, folder)
    if run.state == BROKEN:
        return [name, "", "", "", "", None, None, "", BROKEN]
    split = next((each for each in _SPLITS if each in run.metrics), next(iter(run.metrics), ""))
    metrics = ", ".join(f"{each.title} {each.value:.3g}" for each in run.metrics.get(split, ())[:2])
    return [
        name,
        run.application,
        run.dataset,
        split,
        metrics,
        f"{run.size / 2**20:.1f}",
        None if run.seconds is None else round(run.seconds),
        run.date,
        run.state,
    ]
