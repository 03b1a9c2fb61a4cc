"""A kind of task that nobody else knows: its options, its task and its record are all it takes.

The code is that of docs/extending/task.md.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from apps.commands.main import main
from apps.runs.folder import RunFolder
from apps.tasks.task import Configurable, Ensembling, Refitting, Report, Task

PAGE = Path(__file__).parents[2] / "docs" / "extending" / "task.md"
BLOCK = re.compile(r'^```python title="apps/counting.py"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def module_on(page):
    """The module that the page shows in parts."""
    module = sys.modules["counting"] = ModuleType("counting")
    exec("\n\n".join(BLOCK.findall(page.read_text(encoding="utf-8"))), vars(module))
    return module


COUNTING = module_on(PAGE)
APPLICATION, Counting, CountingConfig = (
    COUNTING.APPLICATION,
    COUNTING.Counting,
    COUNTING.CountingConfig,
)
VOWELS = COUNTING.VOWELS


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of texts with their vowels, in three splits."""
    words = np.array(["toad", "sea", "pond", "reed", "elm", "sky", "moon", "apple", "orange"])
    texts = [" ".join(np.random.default_rng(i).choice(words, 1 + i % 5)) for i in range(60)]
    frame = pd.DataFrame({"text": texts, "split": ["train", "train", "validation", "test"] * 15})
    frame["vowels"] = [sum(map(text.count, VOWELS)) for text in texts]
    path = tmp_path_factory.mktemp("data") / "texts.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def run(table, made_once):
    """The run of the trained counter; read only."""

    def train(folder):
        options = ["--dataset", str(table), "--batch-size", "8", "--run", str(folder / "run")]
        main(APPLICATION, ["train", *options])

    return made_once("counting", train) / "run"


def test_it_fulfils_the_interfaces_that_it_needs_and_no_others():
    task = Counting(CountingConfig(), None)
    assert isinstance(task, Task) and isinstance(task, Configurable)
    assert not isinstance(task, Ensembling) and not isinstance(task, Refitting)
    assert isinstance(task.read_report({}), Report)


def test_it_is_trained(run):
    description = RunFolder(run).describe()
    assert (description.application, description.kind) == ("counting", "counter")
    assert description.config["bias"] is True
    assert RunFolder(run).read_metrics("validation")["exact"] == 1.0
    assert (run / "training_curves.png").exists()


def test_it_is_evaluated(run, command_of, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    answer = command_of(APPLICATION, "evaluate", "--run", copy, "--lengths")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith("counted, test\nexact: 1.0\n")
    metrics = RunFolder(copy).read_metrics("test")
    assert metrics["exact"] == 1.0 and metrics["lengths"]["longest"] > 10
    answer = command_of(APPLICATION, "evaluate", "--run", copy, "--baseline")
    assert answer.status == 2 and answer.err == (
        "error: counting has no baseline. Leave --baseline out\n"
    )


def test_it_answers_texts_and_files(run, command_of, tmp_path):
    answer = command_of(APPLICATION, "predict", "--run", run, "a toad", "sky")
    assert (answer.status, answer.out) == (0, "a toad: 3\nsky: 0\n")
    source, output = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("sea\nelm\n")
    files = ["--input", source, "--output", output]
    assert command_of(APPLICATION, "predict", "--run", run, *files).status == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert rows == [{"text": "sea", "counted": 2.0}, {"text": "elm", "counted": 1.0}]
    answer = command_of(APPLICATION, "predict", "--run", run, "--digits", "4", "a")
    assert (answer.status, answer.err) == (2, "error: --digits takes 3 at most\n")


def test_it_is_exported(run, command_of, tmp_path):
    answer = command_of(APPLICATION, "export", "--run", run, "--output", tmp_path / "out")
    assert answer.status == 0
    serve = tf.saved_model.load(str(tmp_path / "out" / "1")).signatures["serving_default"]
    assert serve(texts=tf.constant(["a moon"]))["counts"].numpy().tolist() == [3.0]


def test_its_help_has_its_options_and_no_others(command_of):
    out = command_of(APPLICATION, "train", "--help").out
    assert "constant that is added" in out and "--count-column" not in out
    out = command_of(APPLICATION, "train", "--help-all").out
    assert "\ncounting:\n" in out and "--count-column" in out
    assert "--units" not in out and "--ensemble" not in out and "--vectors" not in out
