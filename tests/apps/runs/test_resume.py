"""`train --resume`, from the command line, after what really ends a process."""

import json
import os
import random
import shutil
import signal
import zipfile

import h5py
import pytest

from apps.runs.unfinished import UnfinishedTraining
from apps.training.epochs import ProgressCallback
from apps.training.fit import Validation
from data.registry import SAMPLES

# One length of texts and one direction: little to compile. Averages are validated and saved.
OPTIONS = [
    *["train", "--epochs", "3", "--units", "3", "--embedding-dim", "4", "--max-tokens", "100"],
    *["--max-length", "8", "--no-characters", "--no-bidirectional", "--pooling", "last"],
    *["--dropout", "0.3", "--weight-drop", "0.2", "--accumulate", "2", "--deterministic"],
    *["--average-weights", "0.9", "--no-linear"],
]


def weights(run, folder):
    """The bytes of the weights by name; the archive around them holds the time of writing."""
    with zipfile.ZipFile(run / "model.keras") as archive:
        path = archive.extract("model.weights.h5", folder)
    values = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                values.update({name: item[()].tobytes()}) if hasattr(item, "dtype") else None
            )
        )
    return values


def rows(path):
    """The lines of a CSV file without its header: Keras counts the layers of a process."""
    return path.read_text().splitlines()[1:]


def assert_one_line(answer, *words):
    assert answer.status == 2
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1, answer.err
    assert all(word in answer.err for word in words), answer.err


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    from apps.commands.main import main
    from apps.hate_speech import APPLICATION

    run = tmp_path_factory.mktemp("unbroken") / "run"
    main(APPLICATION, [*OPTIONS, "--run", str(run)])
    return run


@pytest.fixture
def assert_same_end(unbroken, tmp_path):
    def check(run):
        assert weights(run, tmp_path / "ours") == weights(unbroken, tmp_path / "theirs")
        for name in ("history.csv", "gradient_norms.csv"):
            assert rows(run / name) == rows(unbroken / name)
        ours, theirs = (
            json.loads((folder / "config.json").read_text()) for folder in (run, unbroken)
        )
        assert ours["command"].replace(str(run), str(unbroken)).startswith(theirs["command"])
        # The archive around the weights holds the time of writing, and so its checksum differs.
        for name in ("training_seconds", "command", "files", "fingerprint"):
            ours.pop(name), theirs.pop(name)
        ours["config"]["checkpoint_seconds"] = theirs["config"]["checkpoint_seconds"]
        assert ours == theirs
        assert not UnfinishedTraining(run).path.exists()

    return check


@pytest.fixture
def interrupted(command, monkeypatch, tmp_path):
    """Sends this process a signal in the nth call of a callback's method; returns the run and the
    command's answer."""

    def interrupt(owner, name, call, number):
        method, calls = getattr(owner, name), []

        def counted(self, *arguments, logs=None):
            calls.append(name)
            if len(calls) == call:
                os.kill(os.getpid(), number)
            method(self, *arguments, logs)

        run = tmp_path / "run"
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, counted)
            return run, command(*OPTIONS, "--run", run)

    return interrupt


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """A run folder of which an unfinished training with a checkpoint waits; read only."""
    from apps.commands.main import main
    from apps.hate_speech import APPLICATION

    run = tmp_path_factory.mktemp("waiting") / "run"
    data = run.parent / "posts.csv"
    data.write_bytes((SAMPLES / "hate_speech.csv").read_bytes())
    end = Validation.on_epoch_end

    def stop(self, epoch, logs=None):
        raise ZeroDivisionError

    Validation.on_epoch_end = stop
    try:
        with pytest.raises(SystemExit, match="1"):
            options = ["--dataset", str(data), "--checkpoint-seconds", "0", "--run", str(run)]
            main(APPLICATION, [*OPTIONS, *options])
    finally:
        Validation.on_epoch_end = end
    return run


# Kills itself some time after a checkpoint that was not there before.
KILLED_AT_RANDOM = """
import os, pathlib, runpy, signal, sys, threading, time

listed, before, seconds = pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
del sys.argv[1:4]

def kill():
    while not listed.exists() or listed.stat().st_mtime_ns == before:
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=kill, daemon=True).start()
runpy.run_module("apps.hate_speech", run_name="__main__", alter_sys=True)
"""
# Kills itself when the fifth checkpoint is written, and TensorFlow's list does not have it yet.
KILLED_WHILE_WRITING = """
import os, signal, sys
from apps.commands.startup import import_tensorflow
import_tensorflow()
import tensorflow as tf
from apps.commands.main import main
from apps.hate_speech import APPLICATION

record, calls = tf.train.CheckpointManager._record_state, []

def recorded(manager):
    calls.append(manager)
    if len(calls) == 9:  # TensorFlow calls it twice for each
        os.kill(os.getpid(), signal.SIGKILL)
    record(manager)

tf.train.CheckpointManager._record_state = recorded
main(APPLICATION, sys.argv[1:])
"""


def test_killed_again_and_again_it_ends_as_if_unbroken(
    assert_same_end, command, tensorflow_process, on_small_samples, tmp_path
):
    draw, run = random.Random(0), tmp_path / "run"
    listed = UnfinishedTraining(run).path / "checkpoints" / "checkpoint"
    often = ["--run", str(run), "--checkpoint-seconds", "0"]

    def kill_at_random(before, *arguments):
        when = [listed, before, draw.uniform(0.0, 0.7)]
        code = on_small_samples + KILLED_AT_RANDOM
        killed = tensorflow_process(code, *when, *arguments, *often)
        # On an idle machine a training this small may be over before.
        assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr
        assert listed.stat().st_mtime_ns != before

    kill_at_random(0, *OPTIONS)
    code = on_small_samples + KILLED_WHILE_WRITING
    killed = tensorflow_process(code, "train", "--resume", *often)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert any(f'"{path.stem}"' not in listed.read_text() for path in listed.parent.glob("*.index"))
    kill_at_random(listed.stat().st_mtime_ns, "train", "--resume")
    assert command("train", "--resume", "--run", run).status == 0
    assert_same_end(run)


def test_sigterm_writes_a_checkpoint_and_says_the_way_on(interrupted, command, assert_same_end):
    run, answer = interrupted(ProgressCallback, "on_train_batch_end", 30, signal.SIGTERM)
    assert answer.status == 143
    assert answer.err == (
        f"error: terminated. Resume with: python -m apps.hate_speech train --resume --run {run}\n"
    )
    assert not run.exists()
    answer = command("train", "--resume", "--run", run)
    assert answer.status == 0
    assert "resuming in epoch 2 after 9 batches" in answer.out
    assert_same_end(run)


def test_ctrl_c_leaves_a_usable_run_and_the_way_on(interrupted, command, assert_same_end):
    run, answer = interrupted(ProgressCallback, "on_train_batch_end", 30, signal.SIGINT)
    assert answer.status == 0
    assert answer.err == (
        "interrupted. The best weights so far are kept. Resume with: python -m apps.hate_speech "
        f"train --resume --run {run}\n"
    )
    assert json.loads((run / "config.json").read_text())["stopped_early"] == "interrupted"
    assert command("predict", "--run", run, "a text").status == 0
    assert_one_line(command(*OPTIONS, "--run", run), "--resume", "--restart")
    assert command("train", "--resume", "--run", run).status == 0
    assert_same_end(run)


def test_nothing_to_resume_is_one_line(command, tmp_path):
    assert_one_line(command("train", "--resume", "--run", tmp_path / "run"), "no unfinished")
    assert list(tmp_path.iterdir()) == []


def test_resume_and_restart_exclude_each_other(command):
    assert_one_line(command("train", "--resume", "--restart"), "--restart", "--resume")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--units", "4"], ["--units is 4, and was 3"]),
        (["--units", "3", "--cell", "lstm"], ["--cell is 'lstm', and was 'gru'"]),
        (["--units", "0"], ["--units must be at least 1"]),
    ],
)
def test_other_options_are_refused(waiting, command, options, words):
    assert_one_line(command("train", "--resume", *options, "--run", waiting), *words)


def test_changed_data_are_refused(waiting, command):
    data = waiting.parent / "posts.csv"
    former = data.read_bytes()
    data.write_bytes(former + b"1,a new text,neither,train\n")
    answer = command("train", "--resume", "--run", waiting)
    data.write_bytes(former)
    assert_one_line(answer, "posts.csv' has changed since the training began", "--restart")


def test_a_training_that_waits_is_not_discarded_by_mistake(waiting, command):
    assert_one_line(command("train", "--run", waiting), "--resume", "--restart")


def test_a_run_that_is_being_trained_is_refused(waiting, command):
    with UnfinishedTraining(waiting).locked():
        answer = command("train", "--resume", "--run", waiting)
    assert_one_line(answer, "another process is training", str(waiting))


WITHOUT_TENSORFLOW = """
import sys
from apps.hate_speech import APPLICATION
from apps.commands.main import main
try:
    main(APPLICATION, sys.argv[1:])
finally:
    slow = {"tensorflow", "keras", "pandas", "numpy"} & sys.modules.keys()
    assert not slow, slow
"""


@pytest.mark.parametrize(
    "options", [["--resume", "--units", "4"], ["--resume", "--dataset", "no.csv"], []]
)
def test_what_is_refused_does_not_wait_for_tensorflow(python_process, waiting, options):
    done = python_process(WITHOUT_TENSORFLOW, "train", *options, "--run", waiting)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_a_restart_begins_anew_with_options_of_its_own(waiting, command, tmp_path, monkeypatch):
    def begun(application, config, command, unfinished, begun, pretrained):
        assert [path.name for path in unfinished.path.iterdir()] == ["lock"]
        assert (config.units, config.epochs, begun) == (5, 8, None)
        return True

    monkeypatch.setattr("apps.commands.train._train", begun)
    shutil.copytree(UnfinishedTraining(waiting).path, tmp_path / ".run.training")
    assert command("train", "--restart", "--units", "5", "--run", tmp_path / "run").status == 0


def test_how_often_checkpoints_are_written_may_change(waiting, command, monkeypatch):
    def begun(application, config, command, unfinished, begun, pretrained):
        assert (config.units, config.checkpoint_seconds) == (3, 7.0)
        assert command == begun.provenance.command
        return True

    monkeypatch.setattr("apps.commands.train._train", begun)
    options = ["--resume", "--units", "3", "--checkpoint-seconds", "7"]
    assert command("train", *options, "--run", waiting).status == 0


def test_other_versions_are_told(waiting, command, tmp_path, monkeypatch):
    monkeypatch.setattr("apps.commands.train._train", lambda *arguments: True)
    monkeypatch.setattr("apps.runs.resumption.installed_versions", lambda: {"keras": "4.0"})
    answer = command("train", "--resume", "--run", waiting)
    assert answer.err.startswith("warning: ") and answer.err.count("\n") == 1
    assert "is 4.0 now" in answer.err
