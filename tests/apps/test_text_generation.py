"""What the language model does with users' texts: all verbs."""

import itertools
import json
import math
import os
import signal

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from apps.commands.main import main
from apps.runs.folder import RunFolder
from apps.tasks.generation.config import GenerationOptions
from apps.tasks.generation.task import TextGeneration
from apps.text_generation import APPLICATION
from apps.training.epochs import ProgressCallback
from data.errors import UserError
from models.recurrent.native import operator
from models.recurrent.rounded_step import round_weights

TINY = [
    *["--units", "8", "--embedding-dim", "6", "--epochs", "2", "--batch-size", "2"],
    *["--sequence-length", "16", "--sample-length", "20", "--learning-rate", "0.02"],
]
VERSE = "The cat sat on the mat.\nThe dog lay on the log.\nWho saw the rat? A bat!\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The run folder of one tiny training, its text and what was printed; read only."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "verse.txt").write_text(VERSE * 8)
    options = ["--dataset", str(folder / "verse.txt"), "--run", str(folder / "run")]
    main(APPLICATION, ["train", *TINY, "--tied", *options])
    return folder / "run"


@pytest.fixture
def call(command_of, trained):
    """Calls a verb with the tiny run."""
    return lambda verb, *rest: command_of(APPLICATION, verb, "--run", trained, *rest)


def loaded(run):
    return APPLICATION.trained(run)


def test_a_run_knows_its_figures(trained):
    report = json.loads((trained / "metrics.json").read_text())["validation"]
    assert 0 < report["nats_per_unit"] < math.log(60)
    assert report["bits_per_unit"] == pytest.approx(report["nats_per_unit"] / math.log(2))
    assert report["perplexity"] == pytest.approx(math.exp(report["nats_per_unit"]))
    assert report["nats_per_character"] == report["nats_per_unit"]
    assert report["units"] == report["characters"] == len(VERSE * 8) - int(len(VERSE * 8) * 0.9)
    assert "val_loss" in (trained / "history.csv").read_text()
    assert json.loads((trained / "config.json").read_text())["ends"] is False
    RunFolder(trained).check_replaceable()


def test_the_figures_are_those_of_one_token_after_the_other(trained):
    task, text = loaded(trained), (VERSE * 8)[int(len(VERSE * 8) * 0.9) :]
    ids = [2, *task.tokenizer.encode([text])[0].numpy()]
    model, nats = task.language_model, 0.0
    states = model.initial_states(1)
    for now, after in itertools.pairwise(ids):
        logits, states = model.step(tf.constant([now]), states)
        nats -= float(tf.nn.log_softmax(logits)[0, after])
    report = json.loads((trained / "metrics.json").read_text())["validation"]
    assert report["nats_per_unit"] == pytest.approx(nats / (len(ids) - 1), rel=1e-4)


def test_a_split_is_measured(call):
    answer = call("evaluate", "--split", "train")
    assert (answer.status, answer.err) == (0, "")
    assert "nats per character" in answer.out and "perplexity" in answer.out
    answer = call("evaluate", "--split", "test")
    assert answer.status == 2 and "no split 'test'" in answer.err


def test_a_model_that_goes_on_learning_is_measured_apart(call, trained):
    answer = call("evaluate", "--split", "validation", "--dynamic", "0.003")
    assert (answer.status, answer.err) == (0, "")
    plain, dynamic = answer.out.split("learning from the text that it has read\n")
    measured = json.loads((trained / "metrics.json").read_text())["validation"]
    assert f"{measured['nats_per_unit']:.4f}" in plain
    assert f"{measured['dynamic']['nats_per_unit']:.4f}" in dynamic
    assert measured["dynamic"]["nats_per_unit"] != measured["nats_per_unit"]
    assert measured["dynamic"]["rate"] == 0.003
    # The run is as it was.
    assert call("evaluate", "--split", "validation").status == 0
    again = json.loads((trained / "metrics.json").read_text())["validation"]
    assert again["nats_per_unit"] == measured["nats_per_unit"] and "dynamic" not in again


def test_a_rate_at_which_the_model_diverges_is_refused(call, trained):
    before = (trained / "metrics.json").read_bytes()
    answer = call("evaluate", "--split", "validation", "--dynamic", "1e30")
    assert answer.status == 2
    assert answer.err == "error: --dynamic 1e+30: the model diverged. Choose a lower rate\n"
    assert (trained / "metrics.json").read_bytes() == before


def test_data_without_a_test_split_are_measured_on_validation(call, trained):
    answer = call("evaluate")
    assert (answer.status, answer.err) == (
        0,
        "verse.txt has no test split: measured on validation\n",
    )
    assert answer.out.startswith("verse.txt, validation\n")


@pytest.mark.parametrize("options", [[], ["--greedy"], ["--temperature", "0.5", "--stop", "th"]])
def test_texts_on_the_terminal_are_those_of_a_file(call, tmp_path, options):
    arguments = ["The ", "A dog", *options, "--max-length", "40", "--seed", "7"]
    shown = call("predict", *arguments)
    assert (shown.status, shown.err) == (0, "")
    assert call("predict", *arguments, "--output", tmp_path / "out.jsonl").status == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert shown.out == "".join(f"{row['text']}{row['continuation']}\n" for row in rows)
    assert all(row["log_likelihood"] <= 0 for row in rows)


@pytest.mark.skipif(bool(operator.why_missing()), reason="no native operator")
def test_rounded_weights_write_the_texts_that_they_say(call, trained, monkeypatch):
    options = ["The ", "A dog", "--max-length", "60", "--seed", "3"]
    answer = call("predict", *options, "--quantize", "int8")
    assert (answer.status, answer.err) == (0, "")
    load = TextGeneration.load

    def load_rounded(*arguments):
        task = load(*arguments)
        for layer in task.language_model.stack.layers:
            round_weights(layer.cell)
        return task

    exact = call("predict", *options).out
    monkeypatch.setattr(TextGeneration, "load", load_rounded)
    # Prompts are read with the weights as they are: the first token may differ.
    rounded = call("predict", *options).out
    assert answer.out == rounded and answer.out.startswith("The ")
    assert len(answer.out) == len(exact)


def test_weights_are_not_rounded_without_the_operator(call, monkeypatch):
    monkeypatch.setenv(operator.SWITCH, "0")
    answer = call("predict", "The", "--quantize", "int8")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.endswith(
        "--quantize int8: there is no native operator: RECURRENT_TEXT_SUITE_NATIVE is 0. "
        "Leave it out\n"
    )


def test_beginnings_in_a_file_are_answered(call, tmp_path):
    (tmp_path / "in.csv").write_text("id,text\n1,The cat\n2,\n3,Who\n")
    options = ["--input", tmp_path / "in.csv", "--output", tmp_path / "out.csv"]
    answer = call("predict", *options, "--beam-width", "2", "--max-length", "5")
    assert answer.status == 0
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert table["id"].tolist() == [1, 2, 3]
    assert [len(text) for text in table["continuation"]] == [5, 0, 5]


def lines(monkeypatch, *said):
    given = iter(said)

    def read(prompt):
        try:
            return next(given)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)


def test_the_next_token_is_chosen_again_and_again(call, monkeypatch):
    lines(monkeypatch, "2", "", "xyz", "/")
    out = call("predict", "--interactive", "The").out
    *_, first, second, third, last = out.split("\n\nThe")
    likely = [line.split("'")[1] for line in first.splitlines() if "'" in line]
    assert second.startswith(likely[1])
    assert last.startswith(third.splitlines()[0]) and "xyz\n" in last


def test_lines_are_answered_by_lines(call, monkeypatch):
    lines(monkeypatch, "The cat", "Who saw")
    answer = call("predict", "--complete", "--max-length", "90")
    first, second = answer.out.splitlines()
    assert answer.status == 0 and first and second
    assert call("predict", "--complete", "--max-length", "90", "The cat").out == (
        f"The cat\n{first}\n"
    )


def test_the_exported_model_has_the_options_as_defaults(call, tmp_path):
    folder = tmp_path / "saved"
    assert call("export", "--output", folder, "--greedy", "--max-length", "9").status == 0
    texts = tf.saved_model.load(str(folder / "1")).signatures["serving_default"](
        texts=tf.constant(["The c"])
    )["texts"]
    shown = call("predict", "The c", "--greedy", "--max-length", "9").out
    assert texts.numpy()[0].decode() + "\n" == shown
    assert (folder / "1" / "assets.extra" / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "a", "--greedy", "--top-k", "4"], "--top-k has no effect"),
        (["predict", "a", "--beam-width", "3", "--temperature", "2"], "--temperature has no"),
        (["predict", "a", "--length-penalty", "1"], "--length-penalty is for beams"),
        (["predict", "a", "--stop", ""], "--stop takes strings"),
        (["predict", "a", "--top-p", "1.5"], "--top-p must be at most 1.0"),
        (["predict", "--interactive", "--complete"], "exclude each other"),
        (["predict"], "either texts or --input"),
        (["train", "--bidirectional"], "unrecognized arguments: --bidirectional"),
        (["train", "--dataset", "nowhere"], "nor a file or folder"),
    ],
)
def test_what_makes_no_sense_is_refused(call, arguments, words):
    answer = call(*arguments)
    assert answer.status == 2 and answer.err.count("\n") == 1
    assert words in answer.err


def test_a_class_is_refused_by_a_model_without(call):
    assert "trained with --conditioned" in call("predict", "a", "--condition", "x").err


@pytest.fixture(scope="module")
def conditioned(tmp_path_factory):
    """The run of a model of two classes whose texts differ; read only."""
    folder = tmp_path_factory.mktemp("conditioned")
    rows = [f"{kind} {i},{kind}" for i in range(40) for kind in ("aaaa", "bbbb")]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    options = ["--dataset", str(folder / "texts.csv"), "--run", str(folder / "run")]
    tiny = [*TINY, "--sequence-length", "8", "--epochs", "6", "--learning-rate", "0.1"]
    tiny += ["--sample-length", "0"]
    main(APPLICATION, ["train", *tiny, "--conditioned", "--cell", "gru", *options])
    return folder / "run"


def test_a_text_follows_from_its_class(conditioned, command_of):
    for kind in ("aaaa", "bbbb"):
        options = ["--condition", kind, "--greedy", "--max-length", "4"]
        answer = command_of(APPLICATION, "predict", "--run", conditioned, "", *options)
        assert (answer.out, answer.err) == (f"{kind}\n", "")


def test_a_class_must_be_one_of_the_model(conditioned, command_of):
    for options in ([], ["--condition", "cccc"]):
        answer = command_of(APPLICATION, "predict", "--run", conditioned, "", *options)
        assert answer.status == 2 and "one of aaaa, bbbb" in answer.err


def test_texts_of_a_table_end_where_they_have_learned_to(conditioned, command_of):
    options = ["--condition", "bbbb", "--greedy", "--max-length", "50"]
    answer = command_of(APPLICATION, "predict", "--run", conditioned, "", *options)
    assert len(answer.out) < 12


RESUMED = [
    *[
        "train",
        *TINY,
        "--sample-length",
        "0",
        "--dropout",
        "0.3",
        "--weight-drop",
        "0.2",
        "--embedding-dropout",
        "0.1",
    ],
    *["--average-weights", "0.9", "--slowness-penalty", "1", "--candidates", "20"],
    *["--tokenizer", "subwords", "--vocabulary-size", "60", "--tied", "--deterministic"],
]


def weights_of(run):
    return loaded(run).language_model.get_weights()


def test_an_interrupted_training_ends_as_if_unbroken(command_of, monkeypatch, tmp_path):
    (tmp_path / "verse.txt").write_text(VERSE * 8)
    data = ["--dataset", tmp_path / "verse.txt"]
    assert command_of(APPLICATION, *RESUMED, *data, "--run", tmp_path / "whole").status == 0
    method, calls = ProgressCallback.on_train_batch_end, []

    def counted(self, *arguments, logs=None):
        calls.append(arguments)
        # In the middle of the second epoch.
        if len(calls) == 9:
            os.kill(os.getpid(), signal.SIGTERM)
        method(self, *arguments, logs)

    with monkeypatch.context() as patch:
        patch.setattr(ProgressCallback, "on_train_batch_end", counted)
        answer = command_of(APPLICATION, *RESUMED, *data, "--run", tmp_path / "broken")
    assert answer.status == 143 and not (tmp_path / "broken").exists()
    answer = command_of(APPLICATION, "train", "--resume", "--run", tmp_path / "broken")
    assert answer.status == 0 and "resuming in epoch 2 after 3" in answer.out
    for ours, theirs in zip(
        weights_of(tmp_path / "broken"), weights_of(tmp_path / "whole"), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    histories = [(tmp_path / run / "history.csv").read_text() for run in ("whole", "broken")]
    assert histories[0] == histories[1]


def test_several_seeds_leave_the_best_model(command_of, tmp_path):
    (tmp_path / "verse.txt").write_text(VERSE * 4)
    options = ["--dataset", tmp_path / "verse.txt", "--run", tmp_path / "run", "--seeds", "2"]
    answer = command_of(
        APPLICATION, "train", *TINY, "--epochs", "1", "--sample-length", "0", *options
    )
    assert answer.status == 0, answer.err
    report = json.loads((tmp_path / "run" / "metrics.json").read_text())["validation"]
    members = [each["nats_per_unit"] for each in report["seeds"]["members"].values()]
    assert report["nats_per_unit"] == pytest.approx(min(members), abs=1e-6)


def test_half_a_character_is_not_printed(trained, monkeypatch, capsys):
    from apps.tasks.generation.terminal import GenerationTerminal

    dialogue = GenerationTerminal(loaded(trained).serving(), GenerationOptions(stop=("zz",)))
    for text in ("ab\ufffd", "ab\u00e9cd", "ab\u00e9cdz"):
        dialogue._growing.show(tf.constant([text.encode()]))
    assert capsys.readouterr().out == "ab\u00e9c"


def test_options_that_leave_nothing_to_chance_are_checked_before_tensorflow(python_process):
    code = """
import sys
from apps.commands.main import main
from apps.text_generation import APPLICATION
try:
    main(APPLICATION, ["train", "--help-all"])
except SystemExit:
    pass
assert not {"tensorflow", "keras", "numpy"} & sys.modules.keys()
"""
    done = python_process(code)
    assert done.returncode == 0, done.stderr
    assert "--sequence-length" in done.stdout


def test_stop_strings_that_are_empty_are_refused():
    with pytest.raises(UserError):
        GenerationOptions(stop=("",))
