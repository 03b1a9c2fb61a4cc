"""The processes that train the trials of a search, each one trial after the other."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from apps.commands.startup import import_tensorflow
from apps.config.space import Space
from apps.config.training import TrainingConfig
from apps.search.space import to_distributions
from apps.search.study import Study
from apps.search.trial import Searched, train_trial
from apps.training.signals import Signals, Terminated
from data.errors import UserError
from data.messages import LOGGER

# A process keeps some memory of each trial.
_TRIALS_OF_A_PROCESS = 10
# Processes that end without a trial, one after the other, until the search gives up.
MOST_DEATHS = 3
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 20


def work(
    application: Searched,
    config: TrainingConfig,
    space: Space,
    folder: Path,
    until: float | None = None,
    trials: int = _TRIALS_OF_A_PROCESS,
    process: str | None = None,
) -> None:
    """Trains trials until there are as many as there shall be, or until it is time to stop.

    Args:
        application: what is trained.
        config: the options of all trials.
        space: of the options that differ.
        folder: of the study.
        until: the time, as `time.time` has it, after which no trial begins; None for no limit.
        trials: the most of this call.
        process: a name of this process that no other one has; None for its number.
    """
    import optuna

    study = Study(folder)
    journal = study.journal()
    distributions = to_distributions(space, config)
    corpus = application.read_data(config)
    for _ in range(trials):
        if until is not None and time.time() >= until:
            return
        trial = study.ask(journal, distributions, process or os.getpid())
        if trial is None:
            return
        try:
            figure = train_trial(
                application, corpus, config, trial, study.trial_folder(trial.number)
            )
        except optuna.TrialPruned:
            journal.tell(trial, state=optuna.trial.TrialState.PRUNED)
        except UserError as mistake:
            trial.set_user_attr("problem", " ".join(str(mistake).split()))
            journal.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            journal.tell(trial, figure)


def run_workers(
    application: Searched,
    config: TrainingConfig,
    space: Space,
    study: Study,
    workers: int,
    until: float | None,
    watch: Callable[[], bool],
) -> None:
    """Runs processes until all trials are over, or until it is time to stop.

    They divide the cores among them.

    Args:
        application, config, space, until: as `work`.
        study: that is locked.
        workers: how many processes.
        watch: is called several times a second, and returns whether all trials are over.

    Raises:
        UserError: processes die one after the other.
    """
    context = multiprocessing.get_context("spawn")
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    journal = study.journal()
    processes: list[BaseProcess] = []
    deaths = 0

    def start() -> None:
        process = context.Process(
            target=_main, args=(threads, application, config, space, study.folder, until)
        )
        process.start()
        processes.append(process)

    try:
        for _ in range(workers):
            start()
        while processes:
            time.sleep(_POLL_SECONDS)
            over = watch()
            for process in [each for each in processes if not each.is_alive()]:
                processes.remove(process)
                process.join()
                study.give_up(journal, process.pid)
                deaths = deaths + 1 if process.exitcode else 0
                if deaths >= MOST_DEATHS:
                    raise UserError(
                        f"{deaths} processes ended before their trials, the last one with status "
                        f"{process.exitcode}. If memory is short, lower --workers or --batch-size"
                    )
                if not over and not (until is not None and time.time() >= until):
                    start()
        watch()
    finally:
        _end(processes)
        study.give_up(journal)


def _end(processes: list[BaseProcess]) -> None:
    """Ends processes, at once if they take too long."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(_PATIENCE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _main(
    threads: int,
    application: Searched,
    config: TrainingConfig,
    space: Space,
    folder: Path,
    until: float | None,
) -> None:
    """What a process does."""
    # TensorFlow reads them when it starts.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    # The search says what is to be said.
    LOGGER.propagate = False
    import_tensorflow()
    try:
        with Signals():
            work(application, config, space, folder, until)
    except (KeyboardInterrupt, Terminated):
        return
    except UserError as mistake:
        print(f"error: {mistake}", file=sys.stderr, flush=True)
        sys.exit(2)
