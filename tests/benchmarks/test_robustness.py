import os
import time

import pytest

from data.errors import UserError

# Those that do not import TensorFlow.
QUICK = [
    *("tables to tables", "transcripts", "labelled texts", "documents", "tagged texts", "pairs"),
    *("vectors", "identity terms", "archives", "files of options", "run folders", "histories"),
]


def test_no_reader_ends_in_a_traceback(benchmark, tmp_path):
    output = tmp_path / "figures.json"
    arguments = ["--inputs", "480", "--seed", "7", "--readers", *QUICK, "--output", output]
    done = benchmark("robustness.py", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    header, *lines = done.stdout.splitlines()
    assert header.split()[:4] == ["reader", "inputs", "answered", "refused"]
    assert len(lines) == len(QUICK)
    assert output.exists()


def test_the_same_seed_makes_the_same_inputs():
    from harness.suite_readers import READERS
    from robustness import make_input

    for reader in READERS:
        first, again, other = (make_input(reader, seed, 3)[:2] for seed in (1, 1, 2))
        assert first == again != other


def raise_error(path, generator):
    raise KeyError("x")


def refuse_in_two_lines(path, generator):
    raise UserError("one\ntwo")


def refuse(path, generator):
    raise UserError("one line")


def be_slow(path, generator):
    end = time.process_time() + 1.1
    while time.process_time() < end:
        pass


def grow(path, generator):
    bytearray(300 * 2**20)


def die(path, generator):
    os._exit(3)


@pytest.mark.parametrize(
    ("read", "outcome", "reason"),
    [
        (lambda path, generator: path.read_bytes(), "answered", ""),
        (refuse, "refused", ""),
        (refuse_in_two_lines, "several lines", "one\ntwo"),
        (raise_error, "uncaught", "KeyError: 'x'"),
        (be_slow, "slow", "s of processor time"),
        (grow, "large", "MB"),
        (die, "uncaught", "the process died"),
    ],
)
def test_what_a_reader_does_is_told_apart(monkeypatch, read, outcome, reason):
    import robustness
    from harness.hostile_inputs import plain
    from harness.suite_readers import READERS, Reader

    monkeypatch.setitem(READERS, "toy", Reader((("in.txt", plain),), read))
    if outcome != "slow":
        # A busy machine takes its time to hand out memory.
        monkeypatch.setattr(robustness, "_SECONDS", 60.0)
    found = list(robustness.outcomes("toy", 0, range(3)))
    assert [number for number, *_ in found] == [0, 1, 2]
    assert {told for _, told, _ in found} == {outcome}
    assert all(reason in said for *_, said in found)
