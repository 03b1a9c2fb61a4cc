"""The benchmark of engines, on answers that are made up."""

import importlib
from types import SimpleNamespace

import pytest


@pytest.fixture
def engines():
    return importlib.import_module("engines")


def classified(label, score):
    return SimpleNamespace(labels=(label,), scores={"a": score, "b": 1 - score})


def tagged(*entities):
    names = ("start", "end", "label", "score")
    found = [SimpleNamespace(**dict(zip(names, entity, strict=True))) for entity in entities]
    return SimpleNamespace(entities=found)


@pytest.mark.parametrize(
    ("ours", "theirs", "line"),
    [
        (
            [classified("a", 0.75), classified("a", 0.5)],
            [classified("a", 0.5), classified("b", 0.5)],
            "2 test texts: 1 with other answers, scores within 2.5e-01",
        ),
        (
            [tagged((0, 2, "X", 0.5)), tagged((0, 2, "X", 0.5))],
            [tagged((0, 2, "X", 0.25)), tagged((0, 3, "X", 0.5))],
            "2 test texts: 1 with other answers, scores within 2.5e-01",
        ),
    ],
    ids=["labels", "entities"],
)
def test_other_answers_are_counted_and_the_largest_gap_is_found(
    engines, monkeypatch, ours, theirs, line
):
    answers = {"onnx": ours, "tensorflow": theirs}
    monkeypatch.setattr(
        engines.apps, "load", lambda run, engine: SimpleNamespace(predict=lambda _: answers[engine])
    )
    assert engines.compare("run", ["x", "y"]) == line


def test_a_command_is_measured_in_a_process_of_its_own(engines):
    seconds, processor, memory = engines.run_command("this")
    assert min(seconds, processor) > 0 and memory > 1


def test_a_command_that_fails_ends_the_benchmark(engines):
    with pytest.raises(SystemExit, match="no_such_module"):
        engines.run_command("no_such_module")
