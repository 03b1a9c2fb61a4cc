"""Trials as tasks of a cluster; the tasks run here, and without Ray and trainings."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from apps.config.space import Range
from apps.search import tasks
from apps.search.space import to_distributions, to_json
from apps.search.study import Plan, Study, count_used
from apps.spam import APPLICATION
from data.errors import UserError

optuna = pytest.importorskip("optuna")

SPACE = {"learning_rate": Range(0.001, 0.01, log=True)}


class TaskError(Exception):
    """What Ray raises for a task whose process died."""


class Task:
    """A task that has begun."""

    def __init__(self, job):
        self.job, self.answer = job, None


class Ray:
    """Runs a task when it is asked for its answer."""

    exceptions = SimpleNamespace(RayError=TaskError)

    def __init__(self, train):
        self.train, self.cancelled = train, 0

    def remote(self, **options):
        assert options == {"num_cpus": 1, "max_calls": 1, "max_retries": 0}
        return lambda function: SimpleNamespace(remote=Task)

    def cluster_resources(self):
        return {"CPU": 2.0}

    def wait(self, running, num_returns, timeout):
        assert num_returns == len(running)
        for task in running:
            try:
                task.answer = self.train(task.job)
            except TaskError as error:
                task.answer = error
        return running, []

    def get(self, task):
        if isinstance(task.answer, TaskError):
            raise task.answer
        return task.answer

    def cancel(self, task, force):
        self.cancelled += 1


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path / "study")
    study.write_plan(Plan("spam", {}, to_json(SPACE), "average_precision", 3, 2, 0, "a command"))
    return study


def search(study, monkeypatch, train):
    """Runs the tasks of a search of three trials; returns what stands for Ray."""
    ray, journal = Ray(train), study.journal()

    @contextmanager
    def connected(address, workers):
        assert (address, workers) == ("auto", 2)
        yield ray

    def watch():
        trials = journal.get_trials(deepcopy=False)
        return count_used([trial for trial in trials if trial.state.is_finished()]) >= 3

    monkeypatch.setattr(tasks, "connected", connected)
    tasks.run_tasks(APPLICATION, APPLICATION.config(), SPACE, study, 2, None, watch, "auto")
    return ray


def begin_trial(job):
    study = Study(Path(job["folder"]))
    journal = study.journal()
    return journal, study.ask(journal, to_distributions(SPACE, APPLICATION.config()), job["name"])


def train_one(job):
    journal, trial = begin_trial(job)
    if trial is not None:
        journal.tell(trial, 0.5)
    return ""


def test_tasks_are_begun_until_all_trials_are_over(study, monkeypatch):
    jobs = []

    def train(job):
        jobs.append(job)
        return train_one(job)

    search(study, monkeypatch, train)
    assert [trial.state.name for trial in study.journal().get_trials()] == ["COMPLETE"] * 3
    assert len({job["name"] for job in jobs}) == len(jobs)
    assert jobs[0]["application"] == "spam" and jobs[0]["space"] == to_json(SPACE)
    assert jobs[0]["config"]["epochs"] == APPLICATION.config().epochs


def test_the_options_of_a_task_that_died_are_tried_again(study, monkeypatch):
    deaths = []

    def train(job):
        if not deaths:
            _, trial = begin_trial(job)
            deaths.append(trial.params)
            raise TaskError("the worker died\nand so on")
        return train_one(job)

    search(study, monkeypatch, train)
    trials = study.journal().get_trials()
    assert sorted(trial.state.name for trial in trials) == ["COMPLETE"] * 3 + ["FAIL"]
    again = [trial for trial in trials if trial.params == deaths[0]]
    assert [trial.state.name for trial in again] == ["FAIL", "COMPLETE"]


def test_tasks_that_die_again_and_again_end_the_search(study, monkeypatch):
    def train(job):
        raise TaskError("no memory\nand so on")

    with pytest.raises(UserError, match=r"3 tasks ended before their trials: no memory$"):
        search(study, monkeypatch, train)


def test_a_mistake_of_a_user_ends_the_search_at_once(study, monkeypatch):
    asked = []

    def train(job):
        asked.append(job)
        return "no file 'posts.csv'"

    with pytest.raises(UserError, match=r"no file 'posts\.csv'"):
        search(study, monkeypatch, train)
    assert len(asked) == 2
