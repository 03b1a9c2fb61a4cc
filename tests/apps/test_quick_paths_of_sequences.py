"""What the shipped samples of entities and translations, and the help texts, teach in seconds: more
than what needs no learning does, on texts that no training has seen."""

import json
import math
from collections import Counter

import pytest

from apps import ner, text_generation, translation
from apps.commands.main import main
from data.corpora.documents.python_help import read as read_help_texts


@pytest.fixture
def trained(shipped_samples, tmp_path):
    """Trains an application, on its shipped sample unless the options say otherwise, and returns
    the run folder."""

    def train(application, *options):
        main(application, ["train", *options, "--run", str(tmp_path / "run")])
        return tmp_path / "run"

    return train


def measured_beside_baselines(application, run):
    """The figures of the test split."""
    main(application, ["evaluate", "--split", "test", "--baseline", "--run", str(run)])
    return json.loads((run / "metrics.json").read_text())["test"]


def test_a_tagger_finds_names_that_no_list_of_the_training_entities_has(trained):
    small = ["--units", "32", "--embedding-dim", "32", "--dropout", "0.3"]
    small += ["--epochs", "3", "--learning-rate", "0.005"]
    report = measured_beside_baselines(ner.APPLICATION, trained(ner.APPLICATION, *small))
    assert report["f1"] > report["baseline"]["gazetteer"]["f1"] + 0.15


def test_a_translator_is_better_than_the_nearest_sentence(trained, shipped_samples, tmp_path):
    header, *lines = (shipped_samples / "translation.tsv").read_text("utf-8").splitlines()
    # Short sentences, and few to choose the epoch by: both are soon read.
    short = [line for line in lines if len(line.split("\t")[0].split()) <= 7]
    parts = {"test": short[:250], "validation": short[250:270], "train": short[270:]}
    for name, part in parts.items():
        (tmp_path / f"{name}.tsv").write_text("\n".join([header, *part]) + "\n", "utf-8")
    small = ["--dataset", str(tmp_path / "train.tsv")]
    for name in ("validation", "test"):
        small += [f"--{name}-file", str(tmp_path / f"{name}.tsv")]
    small += [
        *["--tokenizer", "words", "--vocabulary-size", "1000", "--beam-width", "1"],
        *["--cell", "gru", "--units", "64", "--embedding-dim", "64", "--average-weights", "0.9"],
        *["--dropout", "0.1", "--word-dropout", "0", "--label-smoothing", "0"],
        *["--epochs", "4", "--batch-size", "128", "--learning-rate", "0.015"],
    ]
    run = trained(translation.APPLICATION, *small)
    report = measured_beside_baselines(translation.APPLICATION, run)
    memory = report["baseline"]["translation memory"]
    assert report["bleu"] > memory["bleu"] + 3
    assert report["chrf"] > memory["chrf"] + 3


def test_a_language_model_predicts_letters_better_than_their_frequencies(trained):
    corpus = read_help_texts(None)
    counts = Counter("".join(corpus.split("train").texts))
    # One is added to each count, so that what has not been seen is possible.
    total = sum(counts.values()) + len(counts) + 1
    validation = "".join(corpus.split("validation").texts)
    nats = -sum(math.log((counts[letter] + 1) / total) for letter in validation) / len(validation)
    small = ["--units", "48", "--embedding-dim", "48", "--vocabulary-size", "400"]
    small += ["--cell", "gru", "--epochs", "1", "--sample-length", "0", "--learning-rate", "0.01"]
    run = trained(text_generation.APPLICATION, *small)
    report = json.loads((run / "metrics.json").read_text())["validation"]
    assert report["nats_per_character"] < nats - 0.5
