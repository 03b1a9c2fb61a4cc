"""The interface of trackers, and the table of those that `--track` takes."""

import importlib
import importlib.util
from pathlib import Path
from typing import NamedTuple, Protocol

from data.errors import UserError


class Tracker(Protocol):
    """Notes what a training does. An instance is of one training."""

    def begin(self, name: str, former: str | None) -> str:
        """Begins a run of the tracker, or goes on with a former one; returns its id.

        Args:
            name: of the run.
            former: the id of the run that goes on, or None.
        """

    def log_options(self, options: dict[str, str], tags: dict[str, str]) -> None:
        """Notes the options of the training, and what is known of it."""

    def log_metrics(self, metrics: dict[str, float], epoch: int | None = None) -> None:
        """Notes metrics, those of an epoch or those that count in the end."""

    def log_files(self, paths: list[Path]) -> None:
        """Keeps copies of files, such as pictures."""

    def end(self, status: str) -> None:
        """Ends the run as `finished`, `failed` or `killed`."""


class Entry(NamedTuple):
    """What `--track` takes.

    Attributes:
        module, name: of the class, whose argument is the address of the store or None.
        package: that the class imports.
        extra: of this suite, with which the package is installed.
    """

    module: str
    name: str
    package: str
    extra: str


TRACKERS = {"mlflow": Entry("apps.tracking.mlflow_tracker", "MlflowTracker", "mlflow", "tracking")}


def load_tracker(name: str, uri: str | None) -> Tracker:
    """Returns a tracker of this name.

    Args:
        name: in `TRACKERS`.
        uri: the address of its store; None for a folder of its own in the working folder.

    Raises:
        UserError: there is no such tracker, or it is not installed.
    """
    entry = check_installed(name)
    return getattr(importlib.import_module(entry.module), entry.name)(uri)


def check_installed(name: str) -> Entry:
    """Returns the entry of a tracker that is installed.

    Raises:
        UserError: there is no such tracker, or it is not installed.
    """
    if name not in TRACKERS:
        raise UserError(f"unknown tracker {name!r}. Choose one of: {', '.join(TRACKERS)}")
    entry = TRACKERS[name]
    if importlib.util.find_spec(entry.package) is None:
        raise UserError(
            f"--track {name} needs the package {entry.package}. Install it with: pip install "
            f'"recurrent-text-suite[{entry.extra}]"'
        )
    return entry
