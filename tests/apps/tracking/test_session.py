"""What a tracker is told of trainings, and of those that are resumed; no training goes on here."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from apps.runs.contents import RUN, TRAINING, find_foreign
from apps.runs.folder import RunFolder
from apps.tracking import tracker
from apps.tracking.listener import history_listener
from apps.tracking.session import Session, follow, read_state
from apps.tracking.tracker import Entry, check_installed, load_tracker
from data.errors import UserError

CHOICE = {"tracker": "recorder", "uri": None}
CONFIG = {
    "application": "spam",
    "config": {"units": 3, "dataset": "posts.csv"},
    "checksum": "c0ffee",
    "dataset": "posts.csv",
    "command": "train",
}


@pytest.fixture
def calls(monkeypatch):
    """The calls of a recording tracker, which `recorder` names."""
    path = Path(__file__).with_name("recorder.py")
    spec = importlib.util.spec_from_file_location("recorder", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "recorder", module)
    entry = Entry("recorder", "Recorder", "json", "tracking")
    monkeypatch.setitem(tracker.TRACKERS, "recorder", entry)
    return module.CALLS


@pytest.fixture
def folder(tmp_path):
    """The folder of an unfinished training."""
    path = tmp_path / ".posts.training"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(CONFIG))
    return path


def row(epoch, loss):
    return {"epoch": epoch, "val_loss": loss}


def test_each_epoch_is_told_once_and_options_before_the_first(calls, folder):
    session = Session(load_tracker("recorder", None), CHOICE, folder)
    session.begin("posts")
    history = folder / "history.csv"
    session.note_history(history, [])
    session.note_history(history, [row(0, 2.0)])
    session.note_history(history, [row(0, 2.0)])
    session.note_history(history, [row(0, 2.0), row(1, 1.0)])
    assert [call[0] for call in calls] == ["begin", "options", "metrics", "metrics"]
    assert calls[1][1] == {"units": "3", "dataset": "posts.csv"}
    assert calls[1][2]["dataset_sha256"] == "c0ffee"
    assert calls[2:] == [("metrics", {"val_loss": 2.0}, 1), ("metrics", {"val_loss": 1.0}, 2)]


def test_a_resumed_training_goes_on_with_the_run_of_the_tracker(calls, folder):
    run = RunFolder(folder.parent / "posts")
    with pytest.raises(KeyboardInterrupt), follow(CHOICE, folder, run, resumed=False):
        history_listener.get()(folder / "history.csv", [row(0, 2.0)])
        raise KeyboardInterrupt
    assert calls[-1] == ("end", "killed") and history_listener.get() is None
    assert read_state(folder) == {**CHOICE, "id": "run-1", "epochs": {"": 1}}
    assert find_foreign(folder, TRAINING) == []
    calls.clear()
    # Nobody has to say --track again.
    with follow({"tracker": None, "uri": None}, folder, run, resumed=True):
        history_listener.get()(folder / "history.csv", [row(0, 2.0), row(1, 1.0)])
    assert calls[0] == ("begin", "posts", "run-1")
    assert calls[1] == ("metrics", {"val_loss": 1.0}, 2)


def test_the_end_brings_the_metrics_of_validation_and_the_pictures(calls, folder, tmp_path):
    run = tmp_path / "posts"
    run.mkdir()
    (run / "config.json").write_text(json.dumps(CONFIG))
    (run / "metrics.json").write_text(json.dumps({"validation": {"accuracy": 0.5, "rows": 3}}))
    (run / "confusion_validation.png").write_bytes(b"")
    with follow(CHOICE, folder, RunFolder(run), resumed=False):
        pass
    assert ("metrics", {"validation_accuracy": 0.5}, None) in calls
    assert ("files", ["config.json", "confusion_validation.png"]) in calls
    assert calls[-1] == ("end", "finished")


def test_seeds_and_a_refit_have_names_of_their_own(calls, folder):
    session = Session(load_tracker("recorder", None), CHOICE, folder)
    session.begin("posts")
    for path in ("seeds/.3.training", "refit", "seeds/.3.training/refit"):
        session.note_history(folder / path / "history.csv", [row(0, 2.0)])
    names = [name for call in calls if call[0] == "metrics" for name in call[1]]
    assert names == ["seed_3/val_loss", "refit/val_loss", "seed_3/refit/val_loss"]


def test_a_tracker_that_fails_does_not_end_the_training(calls, folder, capsys, monkeypatch):
    def fail(*arguments):
        raise ConnectionError("the server\nhas left")

    monkeypatch.setattr(sys.modules["recorder"].Recorder, "log_metrics", fail)
    with follow(CHOICE, folder, RunFolder(folder.parent / "posts"), resumed=False):
        for epochs in (1, 2):
            rows = [row(i, 2.0) for i in range(epochs)]
            history_listener.get()(folder / "history.csv", rows)
    err = capsys.readouterr().err
    assert err == "warning: the training is not followed any more: the server\n"
    assert "end" not in [call[0] for call in calls]


def test_a_mistake_is_a_failed_run(calls, folder):
    run = RunFolder(folder.parent / "posts")
    with pytest.raises(UserError), follow(CHOICE, folder, run, resumed=False):
        raise UserError("no")
    assert calls[-1] == ("end", "failed")


def test_without_a_tracker_nothing_is_followed_or_imported(folder, python_process):
    run = RunFolder(folder.parent / "posts")
    with follow({"tracker": None, "uri": None}, folder, run, resumed=True):
        assert history_listener.get() is None
    code = "import sys, apps.spam, apps.commands.main; assert 'mlflow' not in sys.modules"
    process = python_process(code, cwd=Path(__file__).parents[3])
    assert (process.returncode, process.stderr) == (0, "")


def test_a_tracker_that_is_not_installed_names_the_extra(monkeypatch, command_of):
    from apps.spam import APPLICATION

    monkeypatch.setitem(
        tracker.TRACKERS, "mlflow", tracker.TRACKERS["mlflow"]._replace(package="missing_package")
    )
    with pytest.raises(UserError, match=r"pip install \"recurrent-text-suite\[tracking\]\""):
        check_installed("mlflow")
    answer = command_of(APPLICATION, "train", "--track", "mlflow")
    assert answer.status == 2 and "--track mlflow needs the package" in answer.err
    answer = command_of(APPLICATION, "train", "--tracking-uri", "http://x")
    assert (answer.status, answer.err) == (
        2,
        "error: --tracking-uri is the address of a tracker. Add --track\n",
    )


def test_a_run_keeps_the_id(folder):
    assert find_foreign(folder, TRAINING) == []
    (folder / "tracking.json").write_text("{}")
    assert find_foreign(folder, TRAINING) == []
    (folder / "config.json").unlink()
    assert find_foreign(folder, RUN) == []


def test_mlflow_keeps_it_in_a_folder(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    first = load_tracker("mlflow", None)
    identity = first.begin("posts", None)
    first.log_options({f"option{i}": "x" * 500 for i in range(130)}, {"dataset": "posts.csv"})
    first.log_metrics({"val_loss": 2.0, "f1 <a>": 0.5}, 1)
    first.end("killed")
    again = load_tracker("mlflow", None)
    assert again.begin("posts", identity) == identity
    again.log_metrics({"val_loss": 1.0}, 2)
    (tmp_path / "a.png").write_bytes(b"picture")
    again.log_files([tmp_path / "a.png"])
    again.end("finished")
    client = MlflowClient(again._client.tracking_uri)
    run = client.get_run(identity)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "posts")
    assert len(run.data.params) == 130 and run.data.tags["dataset"] == "posts.csv"
    assert run.data.metrics["f1 _a_"] == 0.5
    history = client.get_metric_history(identity, "val_loss")
    assert [(each.step, each.value) for each in history] == [(1, 2.0), (2, 1.0)]
    assert [each.path for each in client.list_artifacts(identity)] == ["a.png"]
    assert {path.name for path in tmp_path.iterdir()} <= {"a.png", "mlruns", "mlflow.db"}
