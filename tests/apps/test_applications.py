"""What every classification application does with its sample: all verbs, once."""

import json
import time

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from apps import hate_speech, sentiment, spam
from apps.commands.main import main
from apps.runs.folder import RunFolder
from data.datasets import read_labelled_texts
from data.errors import UserError
from data.examples.splits import canonical_form

APPLICATIONS = {"sentiment": sentiment.APPLICATION, "spam": spam.APPLICATION}
TEXTS = ["I loved every minute of it", "WIN a prize! Call 0900 555 0100 now", "", "\u00e9" * 300]


@pytest.fixture(scope="module")
def trained(tiny_options, tmp_path_factory):
    """An application and the run folder of one tiny training on its sample; read only."""
    run = tmp_path_factory.mktemp("trained") / "run"
    plain = ["--no-characters", "--no-bidirectional"]
    main(spam.APPLICATION, ["train", *tiny_options, *plain, "--run", str(run)])
    return spam.APPLICATION, run


@pytest.mark.parametrize(
    ("application", "classes", "counts"),
    [
        (sentiment.APPLICATION, ("negative", "positive"), [360, 360]),
        (spam.APPLICATION, ("ham", "spam"), [139, 80]),
    ],
    ids=APPLICATIONS,
)
def test_a_sample_has_different_texts_of_every_class_in_all_splits(application, classes, counts):
    corpus = read_labelled_texts("sample", application.sample)
    assert corpus.class_names == classes
    assert corpus.everything().targets.sum(axis=0).tolist() == counts
    assert all(part.targets.any(axis=0).all() for part in corpus.splits.values())
    texts = corpus.everything().texts
    assert len(set(map(canonical_form, texts))) == len(texts)


@pytest.mark.parametrize("application", APPLICATIONS.values(), ids=APPLICATIONS)
def test_the_head_of_a_text_is_read_and_all_verbs_are_of_one_class(application):
    assert application.recipe("sample").truncate == "head"
    assert application.load_task() is hate_speech.APPLICATION.load_task()


def test_a_run_knows_its_application_and_its_classes(trained):
    application, run = trained
    description = json.loads((run / "config.json").read_text())
    assert description["application"] == application.name
    assert description["config"]["truncate"] == "head"
    assert len(description["class_names"]) == 2


def test_the_test_split_is_measured(trained, command_of):
    application, run = trained
    answer = command_of(application, "evaluate", "--run", run, "--split", "test", "--baseline")
    assert (answer.status, answer.err) == (0, "")
    report = json.loads((run / "metrics.json").read_text())["test"]
    assert report["command"].startswith(f"python -m apps.{application.name} evaluate")
    assert report["baseline"]["tf-idf"]["accuracy"] > 0.5
    RunFolder(run).check_replaceable()


def test_a_text_of_a_megabyte_is_answered_beside_others(trained, command_of, tmp_path):
    application, run = trained
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    texts = [TEXTS[0], "such a long story " * (2**20 // 18), TEXTS[1]]
    pd.DataFrame({"text": texts}).to_csv(source, index=False)
    started = time.process_time()
    answer = command_of(application, "predict", "--run", run, "--input", source, "--output", output)
    assert time.process_time() - started < 40
    assert (answer.status, answer.err) == (0, "")
    assert pd.read_csv(output)["predicted_label"].notna().all()


def test_an_export_answers_as_predict_does(trained, command_of, tmp_path):
    application, run = trained
    folder, output = tmp_path / "exported", tmp_path / "out.jsonl"
    assert command_of(application, "export", "--run", run, "--output", folder).status == 0
    command_of(application, "predict", "--run", run, "--output", output, *TEXTS)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    served = tf.saved_model.load(str(folder / "1")).signatures["serving_default"](
        tf.constant(TEXTS)
    )
    for text, row, names, scores in zip(
        TEXTS, rows, *(served[n].numpy() for n in ("classes", "scores")), strict=True
    ):
        # As in a file, an empty text has no answer.
        answered = [row[f"score_{name.decode()}"] for name in names]
        assert answered == (pytest.approx(scores, abs=1e-6) if text else [None, None])


def test_a_run_of_another_application_is_refused(trained, command_of):
    _, run = trained
    answer = command_of(hate_speech.APPLICATION, "evaluate", "--run", run)
    assert answer.status == 2 and "not of 'hate_speech'" in answer.err


HELP = """
import sys
from apps.{name} import APPLICATION
from apps.commands.main import main
try:
    main(APPLICATION, ["train", "--help"])
finally:
    assert not {{"tensorflow", "keras", "pandas", "sklearn"}} & sys.modules.keys()
"""


@pytest.mark.parametrize("name", APPLICATIONS)
def test_help_does_not_wait_for_tensorflow(name, python_process):
    done = python_process(HELP.format(name=name))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python -m apps.{name} train" in done.stdout


# --- long texts --------------------------------------------------------------


@pytest.fixture(scope="module")
def long_run(tiny_options, tmp_path_factory):
    """A run on texts of 2,500 words whose last ones tell the class, and what `train` printed."""
    folder = tmp_path_factory.mktemp("long")
    words = np.array(["a", "film", "about", "two", "people", "and", "the", "sea"])
    texts = [" ".join(np.random.default_rng(i).choice(words, 2500)) for i in range(30)]
    frame = pd.DataFrame({"text": texts, "label": ["dull", "fine"] * 15})
    frame["text"] += " really " + frame["label"]
    frame.to_csv(folder / "reviews.csv", index=False)
    return folder


def train_long(command_of, folder, tiny_options, run, *options):
    arguments = ["--dataset", folder / "reviews.csv", "--batch-tokens", "6000", "--epochs", "1"]
    small = ["--no-bidirectional", "--no-characters", "--pooling", "max"]
    arguments = [*tiny_options, *arguments, *small, *options, "--run", folder / run]
    return command_of(sentiment.APPLICATION, "train", *arguments)


def test_texts_of_2500_words_are_trained_on_whole(long_run, command_of, tiny_options):
    answer = train_long(command_of, long_run, tiny_options, "whole", "--max-length", "3000")
    assert (answer.status, answer.err) == (0, "")
    assert "truncated texts" not in answer.out


def test_the_part_that_is_kept_is_told_and_alone_counts(long_run, command_of, tiny_options):
    (long_run / "vectors.txt").write_text("sea 1 2\nwonderful 3 4\nthen 5 6\nlast 7 8\n")
    options = ["--max-length", "8", "--truncate", "tail", "--vectors", long_run / "vectors.txt"]
    answer = train_long(
        command_of, long_run, tiny_options, "tail", *options, "--open-vocabulary", "3"
    )
    assert "truncated texts: 24 of 24 are longer than 8 tokens; 99.7% of all tokens" in answer.out
    assert "vectors: 3 of" in answer.out
    tokens = (long_run / "tail" / "vocabulary.txt").read_text().split()
    assert tokens[0] == "<start>" and tokens[-2:] == ["wonderful", "then"]
    end = "and the sea and the sea really fine"
    arguments = ["--run", long_run / "tail", "--output", "-", "dull " * 99 + end, "sea " * 9 + end]
    answer = command_of(sentiment.APPLICATION, "predict", *arguments)
    one, other = (json.loads(line) for line in answer.out.splitlines())
    assert one["score_fine"] == other["score_fine"]


def test_words_of_vectors_without_vectors_are_a_mistake(command_of, tmp_path):
    arguments = ["train", "--open-vocabulary", "9", "--run", tmp_path / "run"]
    answer = command_of(spam.APPLICATION, *arguments)
    assert answer.status == 2 and answer.err.endswith("Add --vectors\n")


def test_another_applications_corpus_is_no_data_set(command_of):
    answer = command_of(spam.APPLICATION, "train", "--dataset", "imdb")
    assert answer.status == 2 and "neither one of sample, sms_spam nor a file" in answer.err
    with pytest.raises(UserError):
        read_labelled_texts("imbd", "spam.csv")
