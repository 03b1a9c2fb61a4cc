"""The run folder: everything that a later command needs to know of a training."""

import csv
import importlib.metadata
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from apps.run_contents import (
    CONFIG,
    GRADIENT_NORMS,
    HISTORY,
    METRICS,
    MODEL,
    RUN,
    SEEDS,
    foreign,
)
from data.errors import UserError
from data.files import whole_file

FORMAT = 1
# What `config.json` says at the least, whatever the task adds.
_DESCRIBED = {"format": int, "application": str, "config": dict, "checksum": str}
_PACKAGES = (
    "tensorflow",
    "keras",
    "numpy",
    "pandas",
    "scikit-learn",
    "tensorflow-datasets",
    "sacrebleu",
)


@dataclass(frozen=True)
class RunFolder:
    """A folder with `config.json`, `model.keras`, vocabularies, history, metrics and pictures."""

    path: Path

    def __post_init__(self):
        path = Path(self.path)
        # The system finds `x/../run` only where there is an `x`.
        path = Path(os.path.realpath(path)) if ".." in path.parts else path
        object.__setattr__(self, "path", path)

    def describe(self) -> dict:
        """What `config.json` says.

        Raises:
            UserError: the folder holds no run, or a damaged one, or one of another version.
        """
        if not self.path.exists():
            # That module needs this one.
            from apps.unfinished import UnfinishedTraining

            UnfinishedTraining(self.path).put_back()
        config = self.path / CONFIG
        if not config.is_file() or not (self.path / MODEL).is_file():
            raise UserError(f"no trained model in {self.path}. Train one first, or check --run")
        description = read_object(config)
        if description.get("format", FORMAT) != FORMAT:
            raise UserError(
                f"{config} has format {description['format']!r}, expected {FORMAT}. Train again"
            )
        for name, kind in _DESCRIBED.items():
            if not isinstance(description.get(name), kind):
                raise _damaged(config)
        return description

    def check_replaceable(self) -> None:
        """Refuses to train into a folder that holds something else than a run.

        Raises:
            UserError: it does, or it cannot be replaced.
        """
        self.check_run()
        if self.path.is_mount():
            raise UserError(f"{self.path} is a mount point. Choose a folder below it with --run")
        others = foreign(self.path, RUN) if self.path.is_dir() else []
        if others:
            raise UserError(
                f"{self.path} holds other files than a run: {others[0]}. Choose another --run"
            )

    def check_run(self) -> None:
        """Refuses a folder that holds something, but no run; a run may hold other files, too.

        Raises:
            UserError: it does, or it is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file. Choose another --run")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        try:
            description = read_object(self.path / CONFIG)
        except UserError:
            description = {}
        if any(not isinstance(description.get(key), kind) for key, kind in _DESCRIBED.items()):
            others = foreign(self.path, RUN) or [f"{CONFIG} is damaged or of another program"]
            raise UserError(
                f"{self.path} holds other files than a run: {others[0]}. Choose another --run"
            )

    def members(self) -> dict[int, "RunFolder"]:
        """The run of each seed, by seed, where there were several; otherwise none."""
        folders = (self.path / SEEDS).glob("*/")
        found = {int(each.name): RunFolder(each) for each in folders if each.name.isdecimal()}
        return dict(sorted(found.items()))

    def write_json(self, name: str, value) -> None:
        """Writes a JSON file, whole or not at all."""
        with whole_file(self.path / name) as partial:
            text = json.dumps(value, indent=2, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")

    def add_metrics(self, split: str, report: dict) -> None:
        """Writes the figures of one split into `metrics.json`; those of other splits stay."""
        path = self.path / METRICS
        metrics = read_object(path) if path.exists() else {}
        self.write_json(METRICS, {**metrics, split: report})

    def history(self) -> list[dict[str, float]]:
        """The rows of `history.csv`, one an epoch; none if the first one was not finished."""
        return self._numbers(HISTORY)

    def gradient_norms(self) -> list[dict[str, float]]:
        """The rows of `gradient_norms.csv`, each of a few updates; none if there was no update."""
        return self._numbers(GRADIENT_NORMS)

    def _numbers(self, name: str) -> list[dict[str, float]]:
        return [
            {name: float(value) for name, value in row.items() if value}
            for row in read_rows(self.path / name)
        ]


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header; none if there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict]) -> None:
    """Writes a CSV file with the columns of its first row, whole or not at all."""
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        if rows:
            writer.writeheader()
            writer.writerows(rows)


def read_object(path: Path) -> dict:
    """The JSON object in a file.

    Raises:
        UserError: there is something else in it.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise _damaged(path)
    return value


def _damaged(path: Path) -> UserError:
    return UserError(f"{path} is damaged or of another program. Train again")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that a result depends on."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **found}
