"""The folder of a search: what is searched, and the trials so far.

    study.json      what is searched, and how; see `Plan`
    journal.log     every event of every trial; Optuna's
    trials/N/       options and history of a trial
    trials.csv      a row a trial
    best.json       options for `train --config`

Several processes add to the journal at once. A process that is killed leaves a trial that never
ends: the next search gives it up, and tries its options again.
"""

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.runs.folder import RunFolder, read_object
from data.errors import UserError
from data.files.locks import lock_or_refuse

if TYPE_CHECKING:
    from optuna import Study as Journal
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, Trial

PLAN, JOURNAL, TRIALS = "study.json", "journal.log", "trials"
_LOCK, _ASKING = ".lock", ".asking"
_NAME = "search"
# Trials with options by chance, before the sampler has something to learn from.
_BY_CHANCE = 8


@dataclass(frozen=True)
class Plan:
    """What is searched.

    Attributes:
        application: its name.
        options: that were given, by name; those of the recipe are not among them.
        space: as files hold it.
        monitor: the validation metric, higher is better.
        trials: how many there shall be.
        epochs: of a trial that is not pruned.
        seed: of the sampler.
        command: the command line.
        dataset, checksum: of the data.
    """

    application: str
    options: dict[str, Any]
    space: dict[str, Any]
    monitor: str
    trials: int
    epochs: int
    seed: int
    command: str
    dataset: str = ""
    checksum: str = ""


class Study:
    """The folder of a search; see the module.

    Args:
        folder: its path.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def is_there(self) -> bool:
        """Returns whether the folder holds a study."""
        return (self.folder / PLAN).exists()

    def write_plan(self, plan: Plan) -> None:
        """Writes what is searched."""
        self.folder.mkdir(parents=True, exist_ok=True)
        RunFolder(self.folder).write_json(PLAN, asdict(plan))

    def plan(self) -> Plan:
        """Reads what is searched.

        Raises:
            UserError: there is no study, or its file is damaged.
        """
        if not self.is_there():
            raise UserError(f"no study in {self.folder}. Check --study, or leave --resume out")
        try:
            return Plan(**read_object(self.folder / PLAN))
        except TypeError as error:
            raise UserError(f"{self.folder / PLAN} is damaged: {error}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other searches out of the folder; the system gives it free when the process ends.

        Raises:
            UserError: another one is at work there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("w") as lock:
            lock_or_refuse(
                lock,
                f"another search is at work in {self.folder}. Wait for it, or choose another "
                "--study",
            )
            yield

    def journal(self) -> "Journal":
        """Opens the journal, with its sampler and pruner; several processes may.

        The sampler is TPE (Bergstra et al. 2011), the pruner successive halving (Li et al. 2018,
        "ASHA"): after a quarter and a half of the epochs the better half goes on.
        """
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        plan, path = self.plan(), str(self.folder / JOURNAL)
        events = os.path.getsize(path) if os.path.exists(path) else 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            storage = optuna.storages.JournalStorage(
                JournalFileBackend(path, lock_obj=JournalFileOpenLock(path))
            )
            return optuna.create_study(
                study_name=_NAME,
                storage=storage,
                load_if_exists=True,
                direction="maximize",
                # Processes must not draw the same options by chance.
                sampler=optuna.samplers.TPESampler(
                    n_startup_trials=_BY_CHANCE,
                    multivariate=True,
                    constant_liar=True,
                    # A process that goes on must not draw again what the one before drew.
                    seed=plan.seed + events,
                ),
                pruner=optuna.pruners.SuccessiveHalvingPruner(
                    min_resource=max(1, plan.epochs // 4),
                    reduction_factor=2,
                ),
            )

    def ask(
        self,
        journal: "Journal",
        distributions: "dict[str, BaseDistribution]",
        process: int | str,
    ) -> "Trial | None":
        """Begins a trial; None if there are as many as there shall be.

        Args:
            journal: that is open.
            distributions: the space.
            process: a number or a name of this process, by which `give_up` knows it.
        """
        with (self.folder / _ASKING).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if count_used(journal.get_trials(deepcopy=False)) >= self.plan().trials:
                return None
            trial = journal.ask(distributions)
            trial.set_user_attr("process", process)
            return trial

    def give_up(self, journal: "Journal", process: int | str | None = None) -> None:
        """Ends the trials of processes that are no more, and queues their options again.

        Args:
            journal: that is open.
            process: the one that has ended; None for all: no process is at work.
        """
        from optuna.trial import TrialState

        for trial in journal.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if process in (None, trial.user_attrs.get("process")):
                # Somebody else may have ended it.
                with suppress(ValueError):
                    journal.tell(trial.number, state=TrialState.FAIL)
                    journal.enqueue_trial(trial.params)

    def trial_folder(self, number: int) -> Path:
        """Returns the folder of a trial; Optuna counts from 0, people from 1."""
        return self.folder / TRIALS / str(number + 1)


def count_used(trials: "list[FrozenTrial]") -> int:
    """Counts the trials that are over or at work, but not those whose processes ended: their
    options are queued again."""
    from optuna.trial import TrialState

    return sum(
        trial.state not in (TrialState.WAITING, TrialState.FAIL) or "problem" in trial.user_attrs
        for trial in trials
    )
