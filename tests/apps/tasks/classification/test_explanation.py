"""Explainer answers of a classifier, and of the command line."""

import dataclasses
import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.explanation import Explainer
from apps.tasks.classification.task import TextClassification
from data.examples.labelled import LabelledCorpus, LabelledTexts
from models.classification.decision import Decision


@pytest.fixture(scope="module", autouse=True)
def one_attribution(attributes_once):
    with attributes_once():
        yield


TEXTS = ["you fool", "you old fool", "fine day", "a fine old day", "what?", "what"]
SMALL = ClassificationConfig(
    units=3, embedding_dim=4, max_word_length=5, min_count=1, bidirectional=False, truncate="tail"
)
NAMES = ("neither", "nice", "rude")


def build(multi_label=False, **changes):
    keras.utils.set_random_seed(0)
    rows = LabelledTexts(TEXTS, np.eye(3, dtype="float32")[[2, 2, 1, 1, 0, 0]], NAMES, None)
    corpus = LabelledCorpus(
        "toy", "0" * 64, {"train": rows, "validation": rows}, NAMES, multi_label
    )
    return TextClassification.build(dataclasses.replace(SMALL, **changes), corpus)


@pytest.fixture(scope="module")
def explained():
    return Explainer(build(max_length=3))


def answer(explained, *texts):
    return explained.output_rows(explained.serving().serve(tf.constant(texts)))


@pytest.mark.parametrize(
    "decision",
    [
        Decision(False, (0.01, 0.01, 0.98), temperature=0.2),
        Decision(True, (0.9, 0.9, 0.1), temperature=5.0),
    ],
    ids=["one class", "several"],
)
def test_the_first_class_is_explained_in_the_log_odds_of_its_score(decision):
    task = build(decision.multi_label, cell="simple_rnn", characters=False, pooling=("max",))
    task.decision = decision
    for row in answer(Explainer(task), *TEXTS):
        found, score = row["explanation"], row["predicted_score"]
        assert score == row[f"score_{found.class_name}"]
        surest = max(task.class_names, key=lambda name: row[f"score_{name}"])
        assert found.class_name == (row["predicted_label"] or surest).split("|")[0]
        assert found.figure == pytest.approx(np.log(score / (1 - score)), abs=1e-4)
        assert not found.gap_matters


def test_an_explanation_stands_beside_the_columns_of_the_answer(explained):
    (row,) = answer(explained, "You FOOL!")
    served = explained.serving().serve(tf.constant(["You FOOL!"]))
    plain = explained.task.output_rows(served)
    assert {name: row[name] for name in plain[0]} == plain[0]
    assert row["explanation"].answer == explained.task.describe_row(plain[0])
    assert explained.empty_row() == {**explained.task.empty_row(), "explanation": None}


def test_words_are_the_tokens_that_the_model_reads(explained):
    short, long, empty = (
        row["explanation"] for row in answer(explained, "You FOOL!", "a b c d old day", " ")
    )
    assert (short.words, short.cut) == (["you", "fool", "!"], 0)
    assert (long.words, long.cut, long.cut_at) == (["d", "old", "day"], 3, 0)
    assert (empty.words, empty.cut) == ([], 0)
    for each in (short, long, empty):
        assert len(each.words) == len(each.weights) == len(each.drops)


def test_texts_of_a_batch_keep_their_order(explained):
    together = answer(explained, "a fine old day", "fool", "", "you fool")
    for row, text in zip(together, ["a fine old day", "fool", "", "you fool"], strict=True):
        (alone,) = answer(explained, text)
        np.testing.assert_allclose(
            row["explanation"].weights, alone["explanation"].weights, atol=1e-4
        )
        assert row["explanation"].words == alone["explanation"].words


# --- the command line --------------------------------------------------------

TALK = """WEBVTT

00:01.000 --> 00:02.500
<v Anna>You absolute
clown</v>

00:0x.000 --> 00:04.000
Never mind

00:05.000 --> 00:06.000
Plum cake
"""


def test_explained_texts_stand_on_the_terminal_without_colours(trained_once, command):
    found = command("predict", "--run", trained_once[0], "--explain", "You absolute clown", "")
    lines = found.out.splitlines()
    assert (found.status, found.err) == (0, "text 2: an empty text\n")
    assert lines[0] == "You absolute clown"
    assert lines[1].count(" %") == 3 and lines[2] == "    you absolute clown"
    assert "\n    log-odds of " in found.out and "\n    occlusion: " in found.out
    assert "\x1b" not in found.out


def test_a_transcript_is_scored_cue_by_cue_with_its_times(trained_once, command, tmp_path):
    (tmp_path / "talk.vtt").write_text(TALK)
    arguments = ["predict", "--run", trained_once[0], "--input", tmp_path / "talk.vtt"]
    found = command(*arguments, "--output", tmp_path / "out.csv")
    assert found.status == 0
    assert found.err.splitlines() == [
        "row 2: a broken time line: '00:0x.000 --> 00:04.000'",
        "1 row(s) were left without an answer",
    ]
    rows = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert list(rows.columns[:5]) == ["start", "end", "text", "speaker", "predicted_label"]
    assert rows["start"].tolist() == ["00:01.000", "", "00:05.000"]
    assert rows["text"].tolist() == ["You absolute clown", "Never mind", "Plum cake"]
    assert [bool(label) for label in rows["predicted_label"]] == [True, False, True]


@pytest.mark.parametrize("output", ["-", "why.html"])
def test_a_file_is_explained_row_by_row(trained_once, command, tmp_path, output):
    (tmp_path / "talk.vtt").write_text(TALK)
    target = output if output == "-" else tmp_path / output
    arguments = ["--explain", "--input", tmp_path / "talk.vtt", "--output", target]
    found = command("predict", "--run", trained_once[0], *arguments)
    assert found.status == 0
    assert found.err.splitlines()[-1].startswith("2 explained; ")
    if output == "why.html":
        content = target.read_text()
        assert content.count("<article>") == 3 and content.count("title=") == 5
        assert "start: 00:01.000; end: 00:02.500; speaker: Anna" in content
        return
    rows = [json.loads(line) for line in found.out.splitlines()]
    words = [row["explanation"] and [word for word, _ in row["explanation"]] for row in rows]
    assert words == [["you", "absolute", "clown"], None, ["plum", "cake"]]
    assert list(rows[0])[:5] == ["start", "end", "text", "speaker", "predicted_label"]
    assert list(rows[0])[-1] == "explanation"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--explain", "--output", "why.csv", "text"], ["--explain writes .html or .jsonl", "csv"]),
        (["--output", "why.html", "text"], [".html", ".csv, .tsv, .jsonl, .parquet"]),
        (["--input", "silent.srt"], ["silent.srt has no cue"]),
        (["--explain", "--input", "silent.srt", "--output", "why.html"], ["has no cue"]),
        (["--explain"], ["either texts or --input"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    trained_once, command, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "silent.srt").write_text("nothing\n")
    found = command("predict", "--run", trained_once[0], *arguments)
    assert (found.status, found.err.count("\n")) == (2, 1), found.err
    assert all(word in found.err for word in words), found.err
    assert [path.name for path in tmp_path.iterdir()] == ["silent.srt"]


REFUSED = """
import sys
from apps.hate_speech import APPLICATION
from apps.commands.main import main
try:
    main(APPLICATION, ["predict", "--run", sys.argv[1], "--explain", "--output", "x.csv", "text"])
finally:
    assert not {"tensorflow", "keras", "scipy"} & sys.modules.keys()
"""


def test_a_wrong_output_does_not_wait_for_tensorflow(trained_once, python_process):
    done = python_process(REFUSED, trained_once[0])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
