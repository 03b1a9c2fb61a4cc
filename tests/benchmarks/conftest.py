"""The scripts of `benchmarks/` as modules and as commands."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Scripts import their neighbours, as they do when they are run."""
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def benchmark():
    """Runs a script and returns the finished process."""

    def run(script, *arguments):
        command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    return run
