"""Processes that answer side by side; without a model and TensorFlow."""

import functools
import os
import signal
import time
from pathlib import Path

import pytest

from apps.serving import windows
from apps.serving.workers import Workers
from data.errors import UserError

PATIENCE = 60


def load(folder):
    """Returns what answers by the length of a text, and does what some texts say."""

    def answer(texts):
        for text in texts:
            word, _, name = text.partition(" ")
            place = folder / name
            if word == "meet":
                # It goes on when another process has come as far.
                place.with_suffix(f".{os.getpid()}").touch()
                until = time.monotonic() + PATIENCE
                while len(list(folder.glob(f"{name}.*"))) < 2 and time.monotonic() < until:
                    time.sleep(0.01)
                assert len(list(folder.glob(f"{name}.*"))) == 2
            elif word == "die" or (word == "stumble" and not place.exists()):
                place.touch()
                os._exit(7)
            elif word == "fail":
                raise UserError("no such word")
        return [{"length": len(text), "process": os.getpid()} for text in texts]

    return answer


def refuse_to_load():
    raise UserError("the model is damaged")


@pytest.fixture(autouse=True)
def one_text_a_batch(monkeypatch):
    monkeypatch.setattr(windows, "MOST_AT_ONCE", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def two(folder):
    with Workers(functools.partial(load, folder), 2) as workers:
        yield workers


def is_gone(pid):
    """Whether a process has ended; one that nobody waits for yet is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(pids):
    until = time.monotonic() + PATIENCE
    while not all(map(is_gone, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return all(map(is_gone, pids))


def test_batches_are_answered_at_once_and_rows_come_in_order(two):
    windows = [["meet a", "meet a"], [], ["ccc", "b", "dd"]]
    found = list(two.answer_windows(windows))
    assert [[row["length"] for row in rows] for rows in found] == [[6, 6], [], [3, 1, 2]]
    assert len({row["process"] for row in found[0]} - {os.getpid()}) == 2


def test_windows_are_read_until_each_process_has_two_batches(two):
    read = []

    def windows():
        for number in range(9):
            read.append(number)
            yield [str(number)]

    rows = two.answer_windows(windows())
    assert read == []
    next(rows)
    assert read == [0, 1, 2, 3]
    rows.close()
    # What nobody asks for any more is not mixed into other answers.
    assert [rows[0]["length"] for rows in two.answer_windows([["12345"]])] == [5]


def test_a_process_that_dies_is_replaced_and_its_batch_answered_again(two):
    ((first, second),) = two.answer_windows([["stumble once", "b"]])
    assert (first["length"], second["length"]) == (12, 1)


def test_a_batch_that_kills_every_process_is_given_up(two):
    with pytest.raises(UserError, match=r"3 processes ended .* status 7"):
        list(two.answer_windows([["die x"]]))
    assert [rows[0]["length"] for rows in two.answer_windows([["b"]])] == [1]


def test_what_is_raised_in_a_process_is_raised_here(two):
    with pytest.raises(UserError, match="no such word"):
        list(two.answer_windows([["fail"]]))
    with (
        Workers(refuse_to_load, 1) as workers,
        pytest.raises(UserError, match="the model is damaged"),
    ):
        list(workers.answer_windows([["a"]]))


def test_no_process_is_left_behind_by_an_error(folder):
    with (
        pytest.raises(ZeroDivisionError),
        Workers(functools.partial(load, folder), 1) as workers,
    ):
        ((row,),) = workers.answer_windows([["a"]])
        raise ZeroDivisionError
    assert is_gone(row["process"])


KILLED = """
import functools, os, signal, sys
from pathlib import Path
from apps.serving.workers import Workers
from tests.apps.serving.test_workers import load

if __name__ == "__main__":
    with Workers(functools.partial(load, Path(sys.argv[1])), 2) as workers:
        for (row,) in workers.answer_windows([["meet k"], ["meet k"]]):
            print(row["process"], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_no_process_outlives_one_that_is_killed(folder, python_process):
    done = python_process(KILLED, folder, cwd=Path(__file__).parents[3])
    pids = list(map(int, done.stdout.split()))
    assert (done.returncode, len(pids)) == (-signal.SIGKILL, 2)
    assert wait_until_gone(pids)
