"""What a command says and how it exits, whatever goes wrong; without TensorFlow."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from apps.commands import main
from apps.spam import APPLICATION
from apps.training.signals import HungUp, Terminated
from data.errors import UserError


@pytest.fixture
def fail_with(monkeypatch, capsys):
    """Lets `evaluate` raise an exception, and returns the exit status and the streams."""

    def call(error):
        def run(application, options):
            print("begun")
            raise error

        monkeypatch.setattr(main.VERBS["evaluate"], "run", run)
        with pytest.raises(SystemExit) as stop:
            main.main(APPLICATION, ["evaluate"])
        return stop.value.code, *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("no file\n'a'"), "no file 'a'"),
        (
            PermissionError(errno.EACCES, "Permission denied", "data/x.csv"),
            "data/x.csv: Permission denied. Check the path, its permissions and the free space",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "No space left on device. Check the path, its permissions and the free space",
        ),
        (
            TimeoutError("timed out"),
            "timed out. Check the path, its permissions and the free space",
        ),
        (
            MemoryError(),
            "there is not enough memory. Lower --batch-size, --units or --embedding-dim",
        ),
        (RecursionError("maximum depth"), "the input is nested too deeply. Flatten it"),
        (
            UnicodeEncodeError("utf-8", "\udce9", 0, 1, "surrogates not allowed"),
            "a text cannot be converted: 'utf-8' codec can't encode character '\\udce9' in "
            "position 0: surrogates not allowed. Save it as UTF-8",
        ),
        (
            UserError("two columns are called '\x1b]0;owned\x07'"),
            "two columns are called '\\x1b]0;owned\\x07'",
        ),
    ],
)
def test_what_a_user_can_cause_is_one_line_and_status_2(fail_with, error, line):
    assert fail_with(error) == (2, "begun\n", f"error: {line}\n")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("interrupted. Go on"), 130, "interrupted. Go on"),
        (Terminated(), 143, "terminated"),
        (HungUp(), 129, "terminated"),
    ],
)
def test_a_signal_has_its_exit_status(fail_with, error, status, line):
    assert fail_with(error) == (status, "begun\n", f"error: {line}\n")


def test_a_fault_of_the_program_shows_its_traceback_and_says_so(fail_with):
    status, _, err = fail_with(KeyError("x"))
    *above, last = err.splitlines()
    assert status == 1
    assert above[0].startswith("Traceback") and above[-1] == "KeyError: 'x'"
    assert last == (
        "error: this is a fault of the program, not of its input. Report the lines above"
    )


def test_errors_of_tensorflow_that_a_user_can_mend_are_one_line(fail_with):
    import tensorflow as tf

    found = fail_with(tf.errors.DataLossError(None, None, "truncated record\nat 12"))
    assert found[2] == "error: truncated record. A file is damaged. Remove it, or make it again\n"
    assert fail_with(tf.errors.InvalidArgumentError(None, None, "a shape"))[0] == 1


def test_signals_reach_every_verb_as_exceptions(monkeypatch, capsys):
    cleaned = []

    def run(application, options):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleaned.append("partial file")

    monkeypatch.setattr(main.VERBS["export"], "run", run)
    with pytest.raises(SystemExit) as stop:
        main.main(APPLICATION, ["export"])
    assert (stop.value.code, cleaned) == (143, ["partial file"])


@pytest.mark.parametrize("name", ["--run", "--dataset", "--data-dir"])
def test_names_that_no_config_can_hold_are_refused_before_anything_is_read(capsys, name):
    with pytest.raises(SystemExit) as stop:
        main.main(APPLICATION, ["train", name, "caf\udce9"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == (
        f"error: {name} caf\\udce9 is not UTF-8. Rename the file or folder\n"
    )


def test_the_help_follows_a_data_set_that_is_not_named(capsys):
    with pytest.raises(SystemExit) as stop:
        main.main(APPLICATION, ["train", "--dataset"])
    assert stop.value.code == 2
    assert "--dataset: expected one argument" in capsys.readouterr().err


def run_into(out, code):
    """Runs code in a new interpreter whose standard output is a file."""
    return subprocess.run(
        [sys.executable, "-c", code],
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_full_disk_behind_standard_output_is_one_line(tmp_path):
    code = """
import sys
from apps.commands import main as command_line
from apps.spam import APPLICATION
command_line.VERBS["evaluate"].run = lambda application, options: print("a table")
command_line.main(APPLICATION, ["evaluate"])
"""
    with open("/dev/full", "w") as full:
        done = run_into(full, code)
    assert done.returncode == 2
    assert done.stderr == (
        "error: No space left on device. Check the path, its permissions and the free space\n"
    )


def test_a_reader_that_has_left_ends_a_command_without_a_word():
    code = """
from apps.commands import main as command_line
from apps.spam import APPLICATION
def verb(application, options):
    for _ in range(100_000):
        print("a line")
command_line.VERBS["evaluate"].run = verb
command_line.main(APPLICATION, ["evaluate"])
"""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        done = run_into(out, code)
    assert (done.returncode, done.stderr) == (1, "")
