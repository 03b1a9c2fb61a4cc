"""The scripts of `benchmarks/` as modules and as commands."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Scripts import their neighbours, as they do when they are run."""
    monkeypatch.syspath_prepend(str(FOLDER))


# As `python script.py` does: the folder of the script comes first among those of modules.
RUN = """
import runpy, sys
from pathlib import Path
sys.argv = sys.argv[1:]
sys.path[0] = str(Path(sys.argv[0]).parent)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def benchmark(tensorflow_process):
    """Runs a script and returns the finished process."""

    def run(script, *arguments):
        return tensorflow_process(RUN, FOLDER / script, *arguments)

    return run
