"""Tracks trainings with MLflow, in a folder or on a server."""

import os
from pathlib import Path

# Nothing is reported to the makers of MLflow, and no search for git is reported to the user.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
# A folder needs no package but this one; MLflow wants a database and asks whoever does without.
os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")

from mlflow import MlflowClient

_STATUS = {"finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
EXPERIMENT = "recurrent-text-suite"
# The most params that MLflow takes at once.
_AT_ONCE = 100


class MlflowTracker:
    """Notes a training as a run of MLflow's experiment `recurrent-text-suite`.

    Args:
        uri: the address of the store, such as `http://localhost:5000`, `sqlite:///mlflow.db` (with
            the package mlflow in place of mlflow-skinny) or `file:///somewhere`; None for what
            MLFLOW_TRACKING_URI says or, without it, for the folder `mlruns`.
    """

    def __init__(self, uri: str | None):
        uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or Path("mlruns").absolute().as_uri()
        self._client = MlflowClient(uri)
        self._run = ""

    def begin(self, name: str, former: str | None) -> str:
        """See `apps.tracking.tracker.Tracker`."""
        if former is not None:
            self._client.update_run(former, status="RUNNING")
            self._run = former
            return former
        found = self._client.get_experiment_by_name(EXPERIMENT)
        experiment = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)
        self._run = self._client.create_run(experiment, run_name=name).info.run_id
        return self._run

    def log_options(self, options: dict[str, str], tags: dict[str, str]) -> None:
        """See `apps.tracking.tracker.Tracker`."""
        from mlflow.entities import Param, RunTag

        params = [Param(name, value) for name, value in options.items()]
        for first in range(0, len(params), _AT_ONCE):
            self._client.log_batch(self._run, params=params[first : first + _AT_ONCE])
        self._client.log_batch(
            self._run, tags=[RunTag(name, value) for name, value in tags.items()]
        )

    def log_metrics(self, metrics: dict[str, float], epoch: int | None = None) -> None:
        """See `apps.tracking.tracker.Tracker`."""
        for name, value in metrics.items():
            self._client.log_metric(self._run, _allowed(name), value, step=epoch or 0)

    def log_files(self, paths: list[Path]) -> None:
        """See `apps.tracking.tracker.Tracker`."""
        for path in paths:
            self._client.log_artifact(self._run, str(path))

    def end(self, status: str) -> None:
        """See `apps.tracking.tracker.Tracker`."""
        self._client.set_terminated(self._run, _STATUS[status])


def _allowed(name: str) -> str:
    """Returns a name with what MLflow takes in names."""
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in name)
