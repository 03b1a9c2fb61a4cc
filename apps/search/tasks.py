"""The trials of a search as tasks of Ray, on the machines of a cluster, which share its folder."""

import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.cluster.connection import connected
from apps.commands.startup import import_tensorflow
from apps.config.options import override, to_json
from apps.config.space import Space
from apps.config.training import TrainingConfig
from apps.search.space import from_json
from apps.search.space import to_json as space_to_json
from apps.search.study import Study
from apps.search.trial import Searched
from apps.search.worker import MOST_DEATHS, work
from data.errors import UserError
from data.messages import LOGGER

_POLL_SECONDS = 0.5


def run_tasks(
    application: Searched,
    config: TrainingConfig,
    space: Space,
    study: Study,
    workers: int,
    until: float | None,
    watch: Callable[[], bool],
    address: str,
) -> None:
    """Runs tasks until all trials are over, or until it is time to stop.

    Args:
        application, config, space, study, workers, until, watch: as `run_workers` of
            `apps.search.worker` takes them.
        address: of the cluster.

    Raises:
        UserError: there is no such cluster, a trial cannot begin, or tasks die one after the other.
    """
    journal, deaths, begun = study.journal(), 0, 0
    with connected(address, workers) as ray:
        # What a trial leaves in memory goes with its process.
        task = ray.remote(num_cpus=1, max_calls=1, max_retries=0)(train_trials)
        gpus = ray.cluster_resources().get("GPU", 0) / workers
        task = task.options(num_gpus=min(1.0, gpus)) if gpus else task
        running: dict[Any, str] = {}

        def start() -> None:
            nonlocal begun
            begun += 1
            name = f"{os.getpid()}-{begun}"
            job = {
                "application": application.name,
                "config": to_json(config),
                "space": space_to_json(space),
                "folder": str(study.folder),
                "from": os.getcwd(),
                "until": until,
                "name": name,
            }
            running[task.remote(job)] = name

        try:
            for _ in range(workers):
                start()
            while running:
                done, _ = ray.wait(list(running), num_returns=len(running), timeout=_POLL_SECONDS)
                over = watch()
                for each in done:
                    study.give_up(journal, running.pop(each))
                    deaths = 0 if (problem := _problem(ray, each)) is None else deaths + 1
                    if deaths >= MOST_DEATHS:
                        raise UserError(f"{deaths} tasks ended before their trials: {problem}")
                    if not over and not (until is not None and time.time() >= until):
                        start()
            watch()
        finally:
            for each in running:
                ray.cancel(each, force=True)
            study.give_up(journal)


def _problem(ray: Any, task: Any) -> str | None:
    """Returns how a task died, or None; a user's mistake is raised."""
    try:
        mistake = ray.get(task)
    except ray.exceptions.RayError as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    if mistake:
        raise UserError(mistake)
    return None


def train_trials(job: dict[str, Any]) -> str:
    """What a task does.

    Args:
        job: the search, as JSON values.

    Returns:
        A mistake of the user, or the empty text.
    """
    os.chdir(job["from"])
    # The search says what is to be said.
    LOGGER.propagate = False
    import_tensorflow()
    application = importlib.import_module(f"apps.{job['application']}").APPLICATION
    config = override(application.config(), job["config"])
    folder = Path(job["folder"])
    try:
        work(
            application,
            config,
            from_json(job["space"]),
            folder,
            job["until"],
            process=job["name"],
        )
    except UserError as mistake:
        return str(mistake)
    return ""
