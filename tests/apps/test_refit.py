"""`train --refit`: the second training, on the validation split, too."""

import csv
import json
from dataclasses import replace

import pytest

from apps.divergence import Diverged
from apps.epochs import KeepProgress
from apps.ner import APPLICATION
from apps.refit import trained
from apps.training import Ending
from apps.unfinished import UnfinishedTraining
from data.preprocessor import Vocabularies
from data.tagged import TaggedCorpus, TaggedTexts

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
    method, epochs = KeepProgress.on_epoch_end, []

    def interrupted(self, epoch, logs=None):
        method(self, epoch, logs)
        epochs.append("val_f1" in logs)
        if not epochs[-1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(KeepProgress, "on_epoch_end", interrupted)
    answer = command_of(APPLICATION, "train", *TINY, *data, "--refit", "--run", run)
    assert answer.status == 0, answer.err
    assert answer.err.startswith("interrupted. The best weights so far are kept. Go on with: ")
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


def test_a_second_training_that_diverges_leaves_the_first(monkeypatch, tmp_path):
    def diverges(*arguments):
        raise Diverged(float("nan"), "in step 1")

    class Task:
        config = replace(APPLICATION.config(), refit=True)

        def fit(self, corpus, folder):
            return Ending("", False, 1.0, 2)

        def evaluate(self, examples):
            return {"f1": 0.5}

    monkeypatch.setattr("apps.refit._anew", diverges)
    task, corpus = Task(), TaggedCorpus("toy", "", (), False, {"validation": TaggedTexts([])})
    kept, ending, report = trained(task, corpus, UnfinishedTraining(tmp_path / "run"))
    assert kept is task and report == {"f1": 0.5}
    assert "diverged" in ending.stopped and not ending.resumable
