"""What the summarizer does with its sample and with users' files: all verbs."""

import contextlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from apps import chat
from apps.commands.main import main
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.runs.init_from import options_from_pretrained
from apps.summarization import APPLICATION
from apps.tasks.seq2seq.alignment import Alignment
from data.text.tokenizer_vocabulary import TokenizerVocabulary

TINY = ["--epochs", "1", "--units", "4", "--embedding-dim", "6", "--vocabulary-size", "80"]
# One batch of one shape: each is compiled for itself.
TINY += ["--batch-size", "500", "--max-source-length", "12", "--max-length", "30"]
TINY += ["--beam-width", "2", "--coverage", "0.5"]
TEXT = "The library of Ashford stays closed on Monday."


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The run folder of one tiny training, and what it said; read only."""
    folder, out = tmp_path_factory.mktemp("trained") / "run", io.StringIO()
    with contextlib.redirect_stdout(out):
        main(APPLICATION, ["train", *TINY, "--run", str(folder)])
    return folder, out.getvalue()


@pytest.fixture
def summarization(command_of, trained):
    """Calls a verb with the tiny run."""
    return lambda verb, *rest: command_of(APPLICATION, verb, "--run", trained[0], *rest)


def test_a_training_says_how_much_of_the_texts_it_cuts(trained):
    folder, out = trained
    assert "columns text, summary" in out and "cut: " in out and "longer than 12 tokens" in out
    description = json.loads((folder / "config.json").read_text())
    assert description["kind"] == "summarizer" and description["config"]["copy"] is True
    assert "val_rouge_l" in (folder / "history.csv").read_text()
    card = (folder / "README.md").read_text()
    assert 'pipeline_tag: "summarization"' in card


def test_a_training_goes_on_with_another_one_and_learns_from_what_it_writes(trained, tmp_path):
    former, own = trained[0], tmp_path / "own"
    options = ["--epochs", "1", "--batch-size", "500", "--max-source-length", "12"]
    options += ["--self-critical", "2", "--learning-rate", "0.01", "--average-weights", "0"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(APPLICATION, ["train", "--init-from", str(former), *options, "--run", str(own)])
    assert f"all layers: weights from {former}" in out.getvalue()
    assert "reward" in (own / "history.csv").read_text()
    tasks = [APPLICATION.trained(run) for run in (former, own)]
    assert tasks[0].tokenizer_vocabularies == tasks[1].tokenizer_vocabularies
    shapes = [
        {name: getattr(task.config, name) for name in ("units", "copy", "vocabulary_size")}
        for task in tasks
    ]
    assert shapes[0] == shapes[1] and shapes[0]["units"] == 4
    before, after = (task.model.get_weights() for task in tasks)
    moved = max(np.abs(one - other).max() for one, other in zip(before, after, strict=True))
    # So far does Adam go in one step.
    assert 0 < moved < 0.011


def test_a_training_that_goes_on_begins_with_all_weights(trained):
    former = APPLICATION.trained(trained[0])
    config = replace(former.config, init_from=str(trained[0]), dropout=0.5)
    begun = type(former).build(config, APPLICATION.read_data(config))
    for one, other in zip(begun.model.get_weights(), former.model.get_weights(), strict=True):
        assert_array_equal(one, other)
    assert begun.model.settings["dropout"] == 0.5


def test_rouge_is_measured_beside_what_needs_no_learning(summarization, trained):
    pytest.importorskip("sumy")
    answer = summarization("evaluate", "--split", "test", "--baseline")
    assert (answer.status, answer.err) == (0, "")
    assert "ROUGE-1" in answer.out and "summaries have" in answer.out
    report = json.loads((trained[0] / "metrics.json").read_text())["test"]
    assert [*report["baseline"]] == ["lead-1", "lead-3", "TextRank", "nearest training text"]
    assert report["baseline"]["lead-1"]["rouge_1"] > 10
    low, high = report["baseline"]["lead-1"]["intervals"]["rouge_1"]
    assert low < report["baseline"]["lead-1"]["rouge_1"] < high


def test_summaries_are_as_long_as_they_should_be(summarization, tmp_path):
    output = tmp_path / "out.jsonl"
    lengths = ["--min-length", "5", "--max-length", "5"]
    answer = summarization(
        "predict", TEXT, *lengths, "--alignment", "--highlights", "--output", output
    )
    assert (answer.status, answer.err) == (0, "")
    row = json.loads(output.read_text())
    assert row.keys() == {"text", "summary", "score", "alignment", "highlights"}
    assert row["summary"] and "\ufffd" not in row["summary"]
    # Each word of it with the one that it looked at.
    assert "=" in row["alignment"]
    # The words that were read, in their order, some of them in brackets.
    assert row["highlights"].replace("[", "").replace("]", "").startswith("The library of")
    answer = summarization("predict", TEXT, "--min-length", "9", "--max-length", "5")
    assert answer.status == 2 and "--min-length 9 is more than --max-length 5" in answer.err


def test_words_are_marked_of_which_most_was_copied():
    # Of "new" nothing is copied; "pool" is copied from one place, "closed" half from each of two.
    weights = np.array([[1, 0, 0, 0], [0, 0.9, 0.1, 0], [0, 0, 0.5, 0.5]], np.float32)
    copied = np.array([0, 1, 0.8], np.float32)
    alignment = Alignment(
        ["The", "pool", "closes", "<end>"], ["new", "pool", "closed"], weights, copied
    )
    highlights = alignment.copied_words()
    np.testing.assert_allclose(highlights.shares, [0, 0.9, 0.5], atol=1e-6)
    assert highlights.to_cell() == "The [pool closes]"
    assert highlights.to_json()["copied"] == [0.0, 0.9, 0.5]


def test_an_export_answers_as_the_run_does_and_takes_lengths(summarization, tmp_path):
    folder, output = tmp_path / "model", tmp_path / "out.jsonl"
    assert summarization("export", "--output", folder).status == 0
    summarization("predict", TEXT, "--output", output)
    row = json.loads(output.read_text())
    signatures = tf.saved_model.load(str(folder / "1")).signatures
    answer = signatures["serving_default"](texts=tf.constant([TEXT]))
    assert answer["summaries"].numpy()[0].decode() == row["summary"]
    np.testing.assert_allclose(answer["scores"][0], row["score"], atol=1e-4)
    scalars = {"min_length": 0, "max_length": 30, "no_repeat_ngram": 3, "length_penalty": 0.8}
    scalars = {name: tf.constant(value) for name, value in scalars.items()}
    again = signatures["with_lengths"](texts=tf.constant([TEXT]), **scalars)
    assert again["summaries"].numpy()[0] == answer["summaries"].numpy()[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--attention", "none"], "--copy needs an --attention. Received: none"),
        (["--source", "summary"], "--source and --target are both 'summary'. Choose two columns"),
        (["--min-length", "31"], "--min-length 31 is more than --max-length 30. Lower it"),
        (["--source", "body"], "the sample has text and summary. Received: --source body"),
    ],
)
def test_trainings_that_cannot_be_are_refused(options, words, command_of, tmp_path):
    answer = command_of(APPLICATION, "train", *options, "--run", tmp_path / "run")
    assert answer.status == 2 and words in answer.err


def test_a_translator_of_words_cannot_copy(command_of, tmp_path):
    from apps.translation import APPLICATION as TRANSLATION

    options = ["--tokenizer", "words", "--copy", "--run", tmp_path / "run"]
    answer = command_of(TRANSLATION, "train", *options)
    assert answer.status == 2 and "--copy needs one vocabulary for both sides" in answer.err


RUNS = Path(__file__).parents[1] / "runs"


@pytest.fixture(scope="module")
def language_models(tmp_path_factory):
    """The folder of runs of tiny language models; read only."""
    folder = tmp_path_factory.mktemp("language_models")
    for name in ("subwords", "tagger_tokens"):
        shutil.unpack_archive(RUNS / f"{name}.zip", folder / name)
    return folder


@pytest.mark.parametrize("application", [APPLICATION, chat.APPLICATION])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_encoder_and_decoder_begin_with_a_language_model(
    application, bidirectional, language_models
):
    run = language_models / "subwords"
    config = replace(application.config(), init_from=str(run), bidirectional=bidirectional)
    config = options_from_pretrained(config, {}, read_run(RunFolder(run)).description)
    task = application.load_task().build(config, config.read_corpus(application.sample))
    theirs = keras.saving.load_model(run / "model.keras", compile=False)
    vocabulary = TokenizerVocabulary.load(run)
    assert task.tokenizer_vocabularies == (vocabulary, vocabulary)
    encoder, decoder = task.model.get_layer("encoder"), task.model.decoder
    vectors = theirs.embedding.embeddings.numpy()
    assert_array_equal(encoder.get_layer("embedding").embeddings.numpy(), vectors)
    assert_array_equal(decoder.embedding.embeddings.numpy(), vectors)
    stack = encoder.get_layer("recurrent")
    pairs = [(decoder.stack, theirs.stack), (stack, theirs.stack)]
    if bidirectional:
        pairs[1] = (stack.layers[0].forward_layer, theirs.stack.layers[0])
    for ours, other in pairs:
        for mine, weight in zip(ours.get_weights(), other.get_weights(), strict=True):
            assert_array_equal(mine, weight)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("subwords", ["--decoder-units", "9"], "--decoder-units is 9, with --init-from"),
        ("subwords", ["--cell", "lstm"], "--cell is 'lstm', with --init-from"),
        ("subwords", ["--input-feeding", "context"], "--input-feeding is 'context', with --init"),
        ("tagger_tokens", [], "reads tagger-tokens, not the tokens of an encoder and a decoder."),
    ],
)
def test_a_language_model_of_another_shape_is_no_beginning(
    name, options, words, language_models, command_of, tmp_path
):
    given = ("--init-from", language_models / name, "--run", tmp_path / "run", *options)
    answer = command_of(APPLICATION, "train", *given)
    assert answer.status == 2 and words in answer.err
