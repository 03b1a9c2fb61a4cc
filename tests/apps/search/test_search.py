"""Searches with trainings: the command, its processes, and trials that are pruned."""

import json
from pathlib import Path

import pytest

from apps.commands.main import main
from apps.config.options import override
from apps.config.space import Range
from apps.hate_speech import APPLICATION
from apps.search.space import to_json
from apps.search.study import Plan, Study
from apps.search.worker import work
from apps.spam import APPLICATION as SPAM
from apps.tracking.listener import history_listener
from apps.training.fit import TrainingResult
from tests.conftest import TINY

optuna = pytest.importorskip("optuna")

DATA = str(Path(__file__).parents[2] / "samples" / "hate_speech.csv")
SPACE = {"learning_rate": Range(0.001, 0.01, log=True), "cell": ("gru", "lstm")}
FIXED = [*TINY, "--no-characters", "--no-bidirectional", "--dataset", DATA]


def options_of(*words):
    """The options that a command line gives."""
    from apps.commands.main import _parse

    given = _parse(APPLICATION, ["search", *words])
    names = ("verb", "command", "study", "resume", "trials", "verbose")
    return {name: value for name, value in given.items() if name not in names}


CONFIG = override(APPLICATION.recipe(DATA), options_of(*FIXED))


def begin(folder, trials):
    study = Study(folder)
    plan = Plan("hate_speech", {}, to_json(SPACE), CONFIG.monitor, trials, 2, 0, "a command")
    study.write_plan(plan)
    return study


class Watched:
    """An application whose test split nobody may look at."""

    name, config, sample, corpora = "hate_speech", type(CONFIG), APPLICATION.sample, ()
    load_task, recipe = staticmethod(APPLICATION.load_task), APPLICATION.recipe

    def read_data(self, config):
        corpus = APPLICATION.read_data(config)
        split = corpus.split

        def watched(name):
            assert name != "test"
            return split(name)

        object.__setattr__(corpus, "split", watched)
        return corpus


def test_trials_are_trained_and_told_to_the_journal(tmp_path):
    study = begin(tmp_path / "study", 2)
    work(Watched(), CONFIG, SPACE, study.folder)
    trials = study.journal().get_trials(deepcopy=False)
    assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE"]
    for trial in trials:
        folder = study.trial_folder(trial.number)
        rows = (folder / "history.csv").read_text().splitlines()
        column = rows[0].split(",").index(f"val_{CONFIG.monitor}")
        figures = [float(row.split(",")[column]) for row in rows[1:]]
        assert trial.value == pytest.approx(max(figures)) and len(figures) == 2
        stored = json.loads((folder / "config.json").read_text())["config"]
        assert stored["learning_rate"] == trial.params["learning_rate"]
        # Checkpoints of twenty trials would fill a disk.
        assert not (folder / "checkpoints").exists()
    # There are as many as there shall be.
    work(Watched(), CONFIG, SPACE, study.folder)
    assert len(study.journal().get_trials(deepcopy=False)) == 2


class Stub:
    """An application whose task only says how its epochs were."""

    name, config, sample, corpora = "hate_speech", type(CONFIG), "", ()
    recipe = APPLICATION.recipe

    def __init__(self, *figures, stopped=""):
        self.figures, self.stopped = figures, stopped

    def read_data(self, config):
        return None

    def load_task(self):
        return self

    def build(self, config, corpus):
        return self

    def fit(self, corpus, folder):
        (folder / "checkpoints").mkdir()
        rows = []
        for epoch, figure in enumerate(self.figures):
            rows.append({"epoch": epoch, f"val_{CONFIG.monitor}": figure})
            history_listener.get()(folder / "history.csv", rows)
        return TrainingResult(self.stopped, bool(self.stopped), 1.0, len(rows))


def test_a_trial_that_is_behind_after_an_epoch_is_pruned(tmp_path):
    study = begin(tmp_path / "study", 5)
    work(Stub(0.8, 0.9), CONFIG, SPACE, study.folder, trials=4)
    work(Stub(0.1, 0.99), CONFIG, SPACE, study.folder)
    *former, trial = study.journal().get_trials(deepcopy=False)
    assert {each.state.name for each in former} == {"COMPLETE"}
    assert trial.state.name == "PRUNED" and trial.user_attrs["epochs"] == 1
    assert former[0].value == 0.9
    assert not (study.trial_folder(4) / "checkpoints").exists()


def test_options_that_exclude_each_other_are_a_trial_that_failed(tmp_path):
    study = begin(tmp_path / "study", 1)
    config = override(CONFIG, {"jit": True})
    space = {"deterministic": (True,)}
    work(Stub(), config, space, study.folder)
    [trial] = study.journal().get_trials(deepcopy=False)
    assert trial.state.name == "FAIL"
    assert trial.user_attrs["problem"].startswith("--jit and --deterministic exclude each other")


def test_an_interrupted_trial_is_no_result(tmp_path):
    study = begin(tmp_path / "study", 1)
    with pytest.raises(KeyboardInterrupt):
        work(Stub(0.8, stopped="interrupted"), CONFIG, SPACE, study.folder)
    [trial] = study.journal().get_trials(deepcopy=False)
    assert trial.state.name == "RUNNING"


def run(capsys, application, *arguments):
    try:
        main(application, ["search", *arguments])
        status = 0
    except SystemExit as stop:
        status = stop.code
    return status, *capsys.readouterr()


def test_the_command_searches_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [*FIXED, "--trials", "1", "--study", "s"]
    status, out, err = run(capsys, APPLICATION, *words)
    assert (status, err) == (0, "")
    assert "1/1  trial 1" in out and "the recipe's options" in out
    assert "train --config s/best.json --run runs/best" in out
    status, _, err = run(capsys, APPLICATION, *words)
    assert status == 2 and err.startswith("error: s holds a search. Go on with --resume")
    status, _, err = run(capsys, SPAM, "--study", "s", "--resume")
    assert status == 2 and "holds a search of 'hate_speech', not of 'spam'" in err
    status, _, err = run(capsys, APPLICATION, "--study", "s", "--resume", "--units", "3")
    assert status == 2 and "Leave --units out" in err
    # All its trials are over: no process is started.
    status, out, err = run(capsys, APPLICATION, "--study", "s", "--resume")
    assert (status, err) == (0, "") and "the best of 1 trials (1 finished)" in out


def test_mistakes_are_told_before_anything_is_trained(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words, message in [
        (["--trials", "0"], "--trials must be at least 1. Received: 0"),
        (["--resume"], "no study in studies/hate_speech"),
        (["--space", "none.json"], "none.json"),
        (["--dataset", "none.csv"], "no data set 'none.csv'"),
        (["--split", "test"], "unrecognized arguments: --split test"),
    ]:
        status, _, err = run(capsys, APPLICATION, *words)
        assert status == 2 and message in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())
