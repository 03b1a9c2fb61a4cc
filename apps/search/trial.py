"""One trial: a training whose epochs are told to the search, which may end it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from apps.config.options import override, to_json
from apps.config.training import TrainingConfig
from apps.inspection.command import Inspectable
from apps.runs.contents import CHECKPOINTS, CONFIG, LOGS
from apps.runs.folder import RunFolder
from apps.tracking.listener import history_listener
from data.errors import UserError

if TYPE_CHECKING:
    from optuna.trial import Trial

# The first trials go on to their end: of two one is always behind.
_UNPRUNED = 3


class Searched(Inspectable, Protocol):
    """What `search` needs of an application."""

    def read_data(self, config: TrainingConfig) -> Any:
        """Reads the data set of a training."""

    def load_task(self) -> Any:
        """Returns the class of the task."""


def train_trial(
    application: Searched, corpus: Any, config: TrainingConfig, trial: "Trial", folder: Path
) -> float:
    """Trains with the options of a trial, and leaves them and the history in its folder.

    The test split is not looked at.

    Args:
        application: what is trained.
        corpus: the data.
        config: the options of all trials.
        trial: has values of some of them; it learns the figure of each epoch.
        folder: of the trial.

    Returns:
        The highest `monitor` of all epochs.

    Raises:
        optuna.TrialPruned: others were better after as many epochs.
        UserError: the options exclude each other, or the training diverged.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    import keras

    from apps.training import devices, fit

    config = override(config, trial.params)
    config.check()
    # A process that was killed may have left half a trial.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    RunFolder(folder).write_json(CONFIG, {"config": to_json(config)})
    # No other model lives in the process, which belongs to the search.
    keras.backend.clear_session()
    fit.seed_everything(config)
    begun = time.monotonic()
    try:
        with devices.distribution_scope(config):
            task = application.load_task().build(config, corpus)
        with _told(trial, f"val_{config.monitor}") as figures:
            ending = task.fit(corpus, folder)
    finally:
        trial.set_user_attr("seconds", round(time.monotonic() - begun, 1))
        for name in (CHECKPOINTS, LOGS):
            shutil.rmtree(folder / name, ignore_errors=True)
    if ending.stopped and ending.resumable:
        raise KeyboardInterrupt
    if not figures:
        raise UserError("no epoch was finished")
    return max(figures)


@contextmanager
def _told(trial: "Trial", monitor: str) -> Iterator[list[float]]:
    """Tells a trial the figure of each epoch; yields the list of them as it grows."""
    import optuna

    figures: list[float] = []

    def tell(path: Path, rows: list[dict]) -> None:
        for row in rows[len(figures) :]:
            figures.append(float(row[monitor]))
            trial.report(figures[-1], step=len(figures))
        trial.set_user_attr("epochs", len(figures))
        # It is asked in any case: it also notes the figure that later trials are compared with.
        if figures and trial.should_prune() and trial.number >= _UNPRUNED:
            raise optuna.TrialPruned

    token = history_listener.set(tell)
    try:
        yield figures
    finally:
        history_listener.reset(token)
