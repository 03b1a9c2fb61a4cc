"""`train --refit`: the second training, on the validation split, too."""

import csv
import json
import random
from dataclasses import replace

import pytest

from apps.commands.refit import train_and_refit
from apps.ner import APPLICATION
from apps.runs.unfinished import UnfinishedTraining
from apps.training.divergence import Diverged
from apps.training.epochs import ProgressCallback
from apps.training.fit import TrainingResult
from data.examples.tagged import TaggedCorpus, TaggedText, TaggedTexts
from data.text.vocabulary import Vocabularies

TINY = [
    *["--epochs", "3", "--units", "4", "--embedding-dim", "6", "--no-bidirectional"],
    *["--characters", "none", "--head", "softmax", "--class-weight", "0.5"],
]


def read(run):
    return [json.loads((run / name).read_text()) for name in ("config.json", "metrics.json")]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Files of a training and a validation split: the names of each are its own."""
    folder = tmp_path_factory.mktemp("data")
    for split, names in (("train", ("Ana", "Lyon")), ("dev", ("Olga", "Rome"))):
        person, place = names
        rows = f"{person} I-PER\nsaw O\n{place} I-LOC\n\nshe O\nsaw O\n{person} I-PER\n\n" * 12
        (folder / f"{split}.txt").write_text(rows)
    return ["--dataset", folder / "train.txt", "--validation-file", folder / "dev.txt"]


def test_what_was_interrupted_goes_on_to_a_model_that_knows_both_splits(
    command_of, data, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    method, epochs = ProgressCallback.on_epoch_end, []

    def interrupted(self, epoch, logs=None):
        method(self, epoch, logs)
        epochs.append("val_f1" in logs)
        if not epochs[-1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressCallback, "on_epoch_end", interrupted)
    answer = command_of(APPLICATION, "train", *TINY, *data, "--refit", "--run", run)
    assert answer.status == 0, answer.err
    assert answer.err.startswith("interrupted. The best weights so far are kept. Resume with: ")
    assert epochs == [True, True, True, False]
    (config, first), known = read(run), set(Vocabularies.load(run).tokens)
    assert config["refit_epochs"] == 0
    assert "ana" in known and "olga" not in known
    monkeypatch.undo()

    answer = command_of(APPLICATION, "train", "--resume", "--run", run)
    assert answer.status == 0, answer.err
    config, metrics = read(run)
    assert {"ana", "olga"} <= set(Vocabularies.load(run).tokens)
    # The figures are those of a model that did not know the texts.
    assert metrics["validation"]["f1"] == first["validation"]["f1"]
    with (run / "history.csv").open() as file:
        figures = [(float(row["val_f1"]), -float(row["val_loss"])) for row in csv.DictReader(file)]
    best = 1 + figures.index(max(figures))
    assert config["refit_epochs"] == best
    history = (run / "refit_history.csv").read_text().splitlines()
    assert len(history) == 1 + best and "val_f1" not in history[0]

    answer = command_of(APPLICATION, "evaluate", "--split", "validation", "--run", run)
    assert answer.status == 2
    assert "has learned from the validation split" in answer.err
    assert read(run) == [config, metrics]


class Task:
    """Trains nothing; tells what it was built from, and how many texts it is evaluated on."""

    config = replace(APPLICATION.config(), refit=True, seed=3)
    first, second = TrainingResult("", False, 1.0, 2), TrainingResult("", False, 4.0, 2)

    def __init__(self, known=0):
        # What a model's weights begin with.
        self.known, self.drawn = known, random.random()

    @classmethod
    def build(cls, config, corpus, pretrained=None):
        return cls(len(corpus.split("train")))

    def fit(self, corpus, folder):
        return self.first

    def fit_as(self, first, corpus, folder, epochs):
        assert (first.known, len(corpus.split("train")), epochs) == (2, 5, self.first.epochs)
        return self.second

    def evaluate(self, examples):
        return {"texts": len(examples)}


@pytest.fixture
def train(tmp_path):
    """Trains a task built from two texts, with three for validation; a task may override some."""
    parts = {"train": 2, "validation": 3}
    splits = {name: TaggedTexts([TaggedText("a", ())] * rows) for name, rows in parts.items()}
    corpus, unfinished = TaggedCorpus("toy", "", splits, ()), tmp_path / "run"

    def call(whole=None, **overridden):
        task = type("Task", (Task,), overridden).build(Task.config, corpus)
        return task, *train_and_refit(task, corpus, UnfinishedTraining(unfinished, whole))

    return call


def test_the_second_training_begins_from_the_seed_on_both_splits_and_both_take_their_time(train):
    first, kept, ending, report = train()
    random.seed(3)
    assert (kept.known, kept.drawn) == (5, random.random())
    assert kept is not first and ending == TrainingResult("", False, 5.0, 2)
    # The model that did not know them read the three texts of validation.
    assert report == {"texts": 3}


@pytest.mark.parametrize(
    "overridden",
    [
        {"first": TrainingResult("interrupted", True, 1.0, 2)},
        {"config": replace(Task.config, refit=False)},
    ],
)
def test_there_is_no_second_training_after_an_interruption_or_unless_it_is_wanted(
    train, overridden
):
    first, kept, ending, report = train(**overridden, fit_as=lambda *_: pytest.fail("trained"))
    assert kept is first and ending is first.first and report == {"texts": 3}


def test_a_second_training_that_is_interrupted_leaves_the_first(train):
    first, kept, ending, _ = train(second=TrainingResult("interrupted", True, 4.0, 1))
    assert kept is first and ending == TrainingResult("interrupted", True, 5.0, 1)


@pytest.mark.parametrize("part", ["first", "second"])
def test_one_of_several_seeds_that_is_interrupted_has_no_report(train, tmp_path, part):
    whole = UnfinishedTraining(tmp_path / "whole")
    *_, ending, report = train(whole, **{part: TrainingResult("interrupted", True, 1.0, 2)})
    assert ending.resumable and report is None
    # A divergence after a good epoch has its weights.
    *_, ending, report = train(whole, **{part: TrainingResult("diverged", False, 1.0, 2)})
    assert ending.stopped == "diverged" and report == {"texts": 3}


def test_a_second_training_that_diverges_leaves_the_first(train):
    def diverges(*_):
        raise Diverged(float("nan"), "in step 1")

    first, kept, ending, report = train(fit_as=diverges)
    assert kept is first and report == {"texts": 3}
    assert "diverged" in ending.stopped and not ending.resumable
