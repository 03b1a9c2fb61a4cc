import os
import subprocess
import sys

import pytest

# A worker whose jobs are quick, such as one that prints among its answers, one that fails, and one
# that dies.
TOY = """
import sys
import time
from harness.workers import serve

def double(number):
    print("not an answer")
    return 2 * number

def fail():
    raise ValueError("no such thing")

def die():
    print("last words", file=sys.stderr)
    sys.exit(3)

def wait(seconds):
    time.sleep(seconds)
    return "waited"

serve({"double": double, "fail": fail, "die": die, "wait": wait})
"""


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """A worker of the toy jobs."""
    from harness import workers

    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setitem(workers.ENGINES, "toy", (str(tmp_path / "toy.py"),))
    with workers.Worker("toy") as worker:
        yield worker


def test_a_worker_answers_whatever_else_it_prints(worker):
    assert [worker.ask("double", number=number) for number in (2, 5)] == [4, 10]


def test_a_job_that_fails_leaves_the_worker_alive(worker):
    from harness.workers import WorkerError

    with pytest.raises(WorkerError, match="ValueError: no such thing"):
        worker.ask("fail")
    with pytest.raises(WorkerError, match=r"Unknown job 'sleep'\. Choose one of: double, fail"):
        worker.ask("sleep")
    assert worker.ask("double", number=1) == 2


def test_a_worker_that_died_says_why_and_the_next_job_starts_another(worker):
    from harness.workers import WorkerError

    with pytest.raises(WorkerError, match="ended with status 3: last words"):
        worker.ask("die")
    assert worker.ask("double", number=1) == 2


def test_watching_tells_the_cores_that_others_use(worker):
    code = "while True: pass"
    with subprocess.Popen([sys.executable, "-c", code]) as busy:
        try:
            value, others = worker.watched("wait", seconds=0.5)
        finally:
            busy.kill()
    assert value == "waited"
    # Another process had a share of a core, however many there were.
    assert 0.02 < others < 2 * os.cpu_count()


class Scripted:
    """A worker that answers what it is told to."""

    def __init__(self, *answers):
        self.answers = iter(answers)

    def watched(self, job, **arguments):
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_noisy_rounds_are_taken_again():
    from harness.workers import noisy, take_turns

    taken = take_turns({"a": Scripted((1, 0.0), (9, 2.0), (2, 0.1))}, 2, "round")
    assert taken.rounds == {"a": {"values": [1, 2], "others": [0.0, 0.1]}}
    assert not noisy(taken.rounds["a"])


def test_where_it_is_never_quiet_the_least_noisy_rounds_serve():
    from harness.workers import noisy, take_turns

    answers = [(1, 0.9), (2, 0.5), (3, 0.8), (4, 0.7), (5, 1.0), (6, 0.6)]
    taken = take_turns({"a": Scripted(*answers)}, 2, "round")
    assert taken.rounds == {"a": {"values": [2, 6], "others": [0.5, 0.6]}}
    assert noisy(taken.rounds["a"])


def test_a_failure_of_one_does_not_stop_the_others():
    from harness.workers import WorkerError, take_turns

    workers = {"a": Scripted((1, 0.0), WorkerError("out of memory")), "b": Scripted((1, 0), (2, 0))}
    taken = take_turns(workers, 2, "round")
    assert taken.rounds.keys() == {"b"}
    assert taken.failures == {"a": "out of memory"}


def test_an_unknown_engine_is_refused_by_name():
    from harness.workers import Worker

    with pytest.raises(ValueError, match=r"Unknown engine 'jax'\. Choose one of: suite, \w+"):
        Worker("jax")
