"""A kind of task that nobody else knows: its options, its task and its record are all it takes.

It counts vowels: linear regression on how often a text has each of three of them.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from apps.commands.application import Application
from apps.commands.main import main
from apps.config.groups import BatchOptions, DataOptions, DeviceOptions, OptimizerOptions
from apps.config.options import Options, option, redefault
from apps.config.training import TrainingConfig
from apps.config.verbs import EvaluateOptions, ExportOptions, PredictOptions
from apps.runs.contents import MODEL
from apps.runs.folder import RunFolder
from apps.tasks.task import Configurable, Ensembling, Refitting, Report, Task
from apps.training import fit as training
from data.errors import UserError
from data.examples.corpus import Corpus
from models.precision import in_full_precision

VOWELS = "aeo"


@dataclass(frozen=True)
class CountingDataOptions(DataOptions):
    text_column: str = option("text", "column with the texts")
    count_column: str = option("vowels", "column with how many vowels a text has")


@dataclass(frozen=True)
class CountingOptions(Options):
    title: ClassVar[str] = "counting"

    monitor: str = option("exact", "validation metric that chooses the epoch", ("exact",))
    bias: bool = option(True, "constant that is added to each count")


@dataclass(frozen=True)
class CountingConfig(
    CountingOptions, CountingDataOptions, DeviceOptions, BatchOptions, TrainingConfig
):
    kind: ClassVar[str] = "counter"
    main: ClassVar[tuple[str, ...]] = ("dataset", "epochs", "learning_rate", "bias")

    epochs: int = redefault(OptimizerOptions, "epochs", 40)
    patience: int = redefault(OptimizerOptions, "patience", 40)
    learning_rate: float = redefault(OptimizerOptions, "learning_rate", 0.1)


@dataclass(frozen=True)
class RoundingOptions(ExportOptions):
    digits: int = option(0, "digits of a count behind the point", at_least=0)


@dataclass(frozen=True)
class CountingPredictOptions(RoundingOptions, PredictOptions):
    pass


@dataclass(frozen=True)
class LengthOptions(EvaluateOptions):
    lengths: bool = option(False, "report of how long the texts are, too")

    def measurement(self, description):
        return Lengths() if self.lengths else None


class Lengths:
    name = "lengths"

    def measure(self, task, examples):
        return CountingReport({"longest": max(map(len, examples.texts))})


@dataclass(frozen=True)
class Counted:
    texts: list[str]
    counts: np.ndarray

    def __len__(self):
        return len(self.texts)

    def take(self, rows):
        return Counted([self.texts[row] for row in rows], self.counts[rows])

    @classmethod
    def join(cls, parts):
        counts = np.concatenate([part.counts for part in parts])
        return cls([text for part in parts for text in part.texts], counts)


@dataclass(frozen=True)
class CountingReport:
    metrics: dict

    def to_json(self):
        return self.metrics

    def table(self):
        return "\n".join(f"{name}: {value}" for name, value in self.metrics.items())

    def main_metrics(self):
        return {"exact": self.metrics["exact"]}

    def draw(self, split, folder):
        """There is nothing to draw."""


class CountingBatches:
    def __init__(self, features, counts, size):
        self.features, self.counts, self.size = features, counts, size

    def steps(self, epoch):
        return -(-len(self.counts) // self.size)

    def dataset(self, epoch=0, start=0):
        rows = tf.data.Dataset.from_tensor_slices((self.features, self.counts))
        return rows.batch(self.size).skip(start)


def count_letters(texts):
    """<float32>[batch, vowels] of <string>[batch]."""
    letters = tf.strings.bytes_split(texts)
    columns = [tf.reduce_sum(tf.cast(letters == vowel, tf.float32), axis=1) for vowel in VOWELS]
    return tf.stack(columns, axis=1)


class CountingServer(tf.Module):
    def __init__(self, model, digits):
        super().__init__()
        self.model, self.preprocessor, self.scale = model, tf.Module(), 10.0**digits
        self.serve = tf.function(
            self.answer, input_signature=[tf.TensorSpec([None], tf.string, name="texts")]
        )

    def answer(self, texts):
        counts = self.model(count_letters(texts))[:, 0]
        return {"counts": tf.round(counts * self.scale) / self.scale}

    def endpoints(self):
        return {"serving_default": (self.serve, [tf.TensorSpec([None], tf.string, name="texts")])}


class Counting:
    def __init__(self, config, model):
        self.config, self.model, self.digits = config, model, 0

    @classmethod
    def read(cls, config: TrainingConfig, sample: str = "", trained=None) -> Corpus:
        table = pd.read_csv(config.dataset)
        parts = {
            split: Counted(
                rows[config.text_column].tolist(), rows[config.count_column].to_numpy("float32")
            )
            for split, rows in table.groupby("split")
        }
        return Corpus("counted", "0" * 64, parts)

    @classmethod
    def build(cls, config, corpus, pretrained=None):
        layer = keras.layers.Dense(1, use_bias=config.bias)
        return cls(config, keras.Sequential([keras.Input((len(VOWELS),)), layer]))

    @classmethod
    def load(cls, config, description, folder):
        return cls(config, keras.saving.load_model(folder / MODEL, compile=False))

    def describe(self):
        return {}

    def save(self, folder: Path):
        self.model.save(folder / MODEL)

    def files(self, folder: Path):
        return []

    def training_data(self, corpus):
        train = corpus.split("train")
        features = count_letters(tf.constant(train.texts))
        batches = CountingBatches(features, train.counts, self.config.batch_size)
        return batches, keras.losses.MeanSquaredError()

    def fit(self, corpus, folder: Path):
        config, (batches, loss) = self.config, self.training_data(corpus)

        def validate(model):
            return self.evaluate(corpus.split("validation")).to_json()

        result = training.fit(self.model, batches, validate, loss, config.monitor, config, folder)
        self.model = in_full_precision(self.model)
        return result

    def evaluate(self, examples):
        counts = self.model(count_letters(tf.constant(examples.texts)))[:, 0].numpy()
        return CountingReport({"exact": float(np.mean(counts.round() == examples.counts))})

    def evaluate_baselines(self, corpus, examples):
        return {}

    def read_report(self, metrics):
        return CountingReport(metrics)

    def set_options(self, options):
        if options.digits > 3:
            raise UserError("--digits takes 3 at most")
        self.digits = options.digits

    def serving(self):
        return CountingServer(self.model, self.digits)

    def output_rows(self, answer):
        return [{"counted": float(count)} for count in answer["counts"].numpy()]

    def empty_row(self):
        return {"counted": None}

    def format_answer(self, text, row):
        return f"{text}: {row['counted']:g}"


APPLICATION = Application(
    name="counting",
    summary="Count the vowels of texts.",
    config=CountingConfig,
    load_task=lambda: Counting,
    sample="",
    options={
        "evaluate": LengthOptions,
        "predict": CountingPredictOptions,
        "export": RoundingOptions,
    },
)


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
