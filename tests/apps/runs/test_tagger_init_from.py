"""A tagger that begins with a language model, and one that begins with that."""

import json
import shutil

import keras
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from apps import ner, sentiment, text_generation
from apps.commands.main import main
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.tasks.pretrained import load_trained
from data.examples.tags import find_entities
from data.text.tokenizer_vocabulary import learn_vocabulary
from data.text.word_tokenizer import normalize_case_and_digits, tokenize_words
from models.language_model.language_model import LanguageModel

TEXT = "Ada Lovelace lived at 12 St James's Square."
TINY = ["--epochs", "1", "--units", "3", "--embedding-dim", "4", "--num-layers", "1"]
# Less to compile, and nothing to the language model.
TINY += ["--no-bidirectional", "--characters", "none", "--head", "softmax"]


def write_language_model(folder, tokenizer):
    """The run of an untrained language model: nothing here depends on what it has learned."""
    folder.mkdir()
    vocabulary = learn_vocabulary(tokenizer, [TEXT, "Ada met Bob."], 100)
    vocabulary.save(folder)
    keras.utils.set_random_seed(5)
    model = LanguageModel(
        vocabulary.vocabulary_size, 4, {"cell": "lstm", "units": 5}, backward=True
    )
    model.save(folder / "model.keras")
    description = {"format": 1, "application": "text_generation", "checksum": ""}
    description |= {"kind": "language model", "config": {"tokenizer": tokenizer}}
    (folder / "config.json").write_text(json.dumps(description))
    return folder


@pytest.fixture(scope="module")
def language_model(tmp_path_factory):
    return write_language_model(tmp_path_factory.mktemp("runs") / "language", "tagger-tokens")


@pytest.fixture(scope="module")
def tagger(language_model):
    """The run of a tagger that reads it; read only."""
    run = language_model.parent / "tagger"
    options = ["--init-from", str(language_model), "--run", str(run)]
    main(ner.APPLICATION, ["train", *TINY, *options])
    return run


def test_a_run_holds_the_language_model_and_its_tokens(language_model, tagger):
    assert (tagger / "tokenizer.json").read_text() == (
        language_model / "tokenizer.json"
    ).read_text()
    layer, theirs = (
        load_trained(read_run(RunFolder(tagger))).model.get_layer("language"),
        load_trained(read_run(RunFolder(language_model))).model,
    )
    weights = [theirs.embedding.embeddings, *theirs.stack.weights, *theirs.backward_stack.weights]
    for ours, other in zip(layer.get_weights(), weights, strict=True):
        assert_array_equal(ours, other)


def test_the_tokens_are_those_of_the_tagger_folded(language_model):
    tokens = json.loads((language_model / "tokenizer.json").read_text())["tokens"]
    assert set(normalize_case_and_digits(tokenize_words([TEXT]).strings.flat_values).numpy()) <= {
        token.encode() for token in tokens
    }
    assert {"ada", "00", "'s"} <= set(tokens)


def test_it_answers_and_its_savedmodel_does(tagger, command_of, tmp_path):
    answer = command_of(ner.APPLICATION, "predict", "--run", tagger, TEXT, "--format", "jsonl")
    assert answer.status == 0, answer.err
    exported = tmp_path / "exported"
    assert command_of(ner.APPLICATION, "export", "--run", tagger, "--output", exported).status == 0
    served = tf.saved_model.load(exported / "1").signatures["serving_default"](tf.constant([TEXT]))
    tags = [tag.decode() for tag in served["tags"].numpy()[0]]
    places = [served[name].numpy()[0] for name in ("starts", "ends")]
    spans = [
        {"start": places[0][first], "end": places[1][after - 1], "type": kind}
        for first, after, kind in find_entities(tags)
    ]
    shown = json.loads(answer.out)["entities"]
    assert [{name: row[name] for name in ("start", "end", "type")} for row in shown] == spans


def test_a_tagger_that_begins_with_it_reads_the_same_language_model(tagger, command_of, tmp_path):
    few = tmp_path / "few.conll"
    few.write_text("Ada B-PER\nsleeps O\n\n" * 20)
    options = ["--dataset", few, "--validation-file", few, "--init-from", tagger, "--epochs", "1"]
    answer = command_of(ner.APPLICATION, "train", *options, "--run", tmp_path / "run")
    assert answer.status == 0, answer.err
    ours, theirs = (
        load_trained(read_run(RunFolder(run))).model.get_layer("language")
        for run in (tmp_path / "run", tagger)
    )
    for our, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_array_equal(our, other)
    assert (tmp_path / "run" / "tokenizer.json").is_file()


def test_other_tokens_are_refused_by_taggers_and_these_by_classifiers(
    language_model, tagger, command_of, tmp_path
):
    run = write_language_model(tmp_path / "words", "words")
    answer = command_of(ner.APPLICATION, "train", "--init-from", run)
    assert answer.status == 2 and "--tokenizer tagger-tokens" in answer.err
    answer = command_of(sentiment.APPLICATION, "train", "--init-from", language_model)
    assert answer.status == 2 and "reads tagger-tokens, not the tokens of classifiers" in answer.err
    answer = command_of(text_generation.APPLICATION, "train", "--init-from", tagger)
    assert answer.status == 2 and "not of a language model" in answer.err


def test_tokens_of_another_model_are_refused(tagger, command_of, tmp_path, without_checksums):
    without_checksums(shutil.copytree(tagger, tmp_path / "run"))
    learn_vocabulary("tagger-tokens", ["a b"], 9).save(tmp_path / "run")
    answer = command_of(ner.APPLICATION, "predict", "--run", tmp_path / "run", TEXT)
    assert answer.status == 2 and "its model reads" in answer.err
