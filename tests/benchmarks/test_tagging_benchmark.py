import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "tagging.py"


@pytest.fixture
def tagging(monkeypatch):
    """The benchmark, of one small batch."""
    spec = importlib.util.spec_from_file_location("tagging_benchmark", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in {"ROUNDS": 2, "STEPS": 1, "LENGTHS": (4,), "WORDS": 50}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_both_heads_are_trained_and_timed(tagging):
    figures = tagging.head_figures()
    assert {head: len(times) for head, times in figures["milliseconds"].items()} == {
        "softmax": 2,
        "crf": 2,
    }
    assert figures["ratio"] == figures["medians"]["crf"] / figures["medians"]["softmax"]
