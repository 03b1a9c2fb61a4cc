"""A training that is followed: what is told to the tracker, and what a resumed training goes on
with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apps.reports.metrics import list_metrics
from apps.runs.contents import CARD, CONFIG, METRICS, TRACKING
from apps.runs.description import RunDescription
from apps.runs.folder import RunFolder, read_object
from apps.tracking.listener import history_listener
from apps.tracking.tracker import Tracker, load_tracker
from apps.training.signals import Terminated
from data.errors import UserError
from data.messages import warn

# A tracker's values are no texts of a book.
_LONGEST = 500


class Session:
    """What is followed of one training.

    A tracker that fails does not end the training: the first failure is a warning, and from then on
    nothing more is told to it.

    Args:
        tracker: notes it.
        choice: name and address of the tracker, for a training that is resumed.
        folder: of the unfinished training, where `tracking.json` has the id of the tracker's run.
    """

    def __init__(self, tracker: Tracker, choice: dict[str, str | None], folder: Path):
        self._tracker, self._choice, self._folder = tracker, choice, folder
        self._epochs: dict[str, int] = {}
        self._id, self._described, self._works = "", False, True

    def begin(self, name: str) -> None:
        """Begins, or goes on with the run of the tracker that `tracking.json` names."""
        state = read_state(self._folder)
        former = state.get("id")
        self._epochs = dict(state.get("epochs") or {})
        self._described = former is not None

        def begin() -> None:
            self._id = self._tracker.begin(name, former)
            self._save()

        self._try(begin)

    def note_history(self, path: Path, rows: list[dict[str, Any]]) -> None:
        """Tells the tracker of the epochs that it does not know yet.

        Args:
            path: of the `history.csv` that was written.
            rows: its rows, one an epoch.
        """
        name = self._name(path)
        known = self._epochs.get(name, 0)
        if len(rows) <= known:
            return

        def note() -> None:
            self._describe()
            for row in rows[known:]:
                values = {f"{name}{key}": float(v) for key, v in row.items() if key != "epoch"}
                self._tracker.log_metrics(values, int(row["epoch"]) + 1)
            self._epochs[name] = len(rows)
            self._save()

        self._try(note)

    def finish(self, run: Path) -> None:
        """Tells the tracker how a training ended, and gives it the pictures of the run."""

        def finish() -> None:
            self._describe(run)
            stored = read_object(run / METRICS) if (run / METRICS).exists() else {}
            for split, metrics in stored.items():
                found = list_metrics(metrics) if isinstance(metrics, dict) else []
                self._tracker.log_metrics({f"{split}_{each.name}": each.value for each in found})
            files = [path for path in (run / CONFIG, run / CARD) if path.exists()]
            self._tracker.log_files([*files, *sorted(run.glob("*.png"))])
            self._tracker.end("finished")

        self._try(finish)

    def stop(self, status: str) -> None:
        """Tells the tracker that the training did not come to its end."""
        self._try(lambda: self._tracker.end(status))

    def _name(self, path: Path) -> str:
        """Returns what tells the histories of several seeds, and of a refit, from each other."""
        parts = path.parent.relative_to(self._folder).parts
        seeds = [part.strip(".").removesuffix(".training") for part in parts if part[:1] == "."]
        return "".join([*(f"seed_{seed}/" for seed in seeds), "refit/" * ("refit" in parts)])

    def _describe(self, folder: Path | None = None) -> None:
        """Tells options and data, once they are known: with the first epoch."""
        if self._described:
            return
        values = read_object((folder or self._folder) / CONFIG)
        description = RunDescription.from_json({"format": 1, **values})
        provenance = description.provenance
        tags = {
            "application": description.application,
            "dataset": provenance.dataset,
            "dataset_sha256": provenance.checksum,
            "command": provenance.command,
            **{f"version_{name}": each for name, each in (provenance.versions or {}).items()},
        }
        self._tracker.log_options(
            {name: str(value)[:_LONGEST] for name, value in description.config.items()},
            {name: str(value)[:_LONGEST] for name, value in tags.items() if value is not None},
        )
        self._described = True

    def _save(self) -> None:
        state = {**self._choice, "id": self._id, "epochs": self._epochs}
        RunFolder(self._folder).write_json(TRACKING, state)

    def _try(self, tell: Callable[[], object]) -> None:
        if not self._works:
            return
        try:
            tell()
        except Exception as error:  # whatever a server, a network or a package does
            self._works = False
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            warn(f"warning: the training is not followed any more: {reason}")


def read_state(folder: Path) -> dict[str, Any]:
    """Returns what `tracking.json` says; nothing where there is none, or a damaged one."""
    try:
        return read_object(folder / TRACKING) if (folder / TRACKING).exists() else {}
    except UserError:
        return {}


@contextmanager
def follow(
    choice: dict[str, str | None], folder: Path, run: RunFolder, resumed: bool
) -> Iterator[None]:
    """Follows the training that goes on inside of the `with`.

    Args:
        choice: `tracker`, a name in `apps.tracking.tracker.TRACKERS` or None for none, and `uri`;
            a resumed training has those with which it began.
        folder: of the unfinished training.
        run: whose place it takes.
        resumed: whether it goes on.

    Raises:
        UserError: the tracker is not installed.
    """
    if resumed and choice["tracker"] is None:
        state = read_state(folder)
        choice = {name: state.get(name) for name in choice}
    if choice["tracker"] is None:
        yield
        return
    session = Session(load_tracker(choice["tracker"], choice["uri"]), choice, folder)
    session.begin(run.path.name)
    token = history_listener.set(session.note_history)
    try:
        yield
        session.finish(run.path)
    except BaseException as reason:
        stopped = isinstance(reason, KeyboardInterrupt | Terminated)
        session.stop("killed" if stopped else "failed")
        raise
    finally:
        history_listener.reset(token)
