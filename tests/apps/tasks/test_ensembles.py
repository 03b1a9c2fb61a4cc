"""Ensembles of taggers, language models and translators, from files of runs to answers."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from apps.catalog import find_application
from apps.runs.description import RunDescription
from apps.serving.answers import answer
from data.errors import UserError
from models.serving.export import write_saved_model

RUNS = Path(__file__).parents[2] / "runs"
TEXTS = ["Ida moved from Leeds to Mull.", "You have won a free prize, call now!"]
# What a task needs of a corpus beside its members.
LANGUAGES = type("Corpus", (), {"languages": ("en", "fr")})()


@pytest.fixture(scope="module", params=["ner", "ner_softmax", "translation", "words"])
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / request.param
    shutil.unpack_archive(RUNS / f"{request.param}.zip", folder)
    name = {"ner_softmax": "ner", "words": "text_generation"}.get(request.param, request.param)
    return find_application(name), folder


@pytest.fixture(scope="module")
def ensemble(run):
    """The mean of a run and of itself, whose answers are those of the run."""
    application, folder = run
    task = application.trained(folder)
    return type(task).ensemble([task, task], LANGUAGES)


def loaded(application, ensemble, folder):
    """The ensemble that was written into a folder."""
    ensemble.save(folder)
    description = RunDescription(application.name, {}, details=ensemble.describe())
    return type(ensemble).load(ensemble.config, description, folder)


def test_the_mean_of_a_model_and_itself_answers_as_it_does(run, ensemble, tmp_path):
    application, folder = run
    expected = answer(application.trained(folder), TEXTS)
    found = answer(loaded(application, ensemble, tmp_path), TEXTS)
    assert rounded(found) == rounded(expected)


def rounded(value):
    """An answer with numbers of two digits: those of half a word's scores differ in the seventh."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 2) if isinstance(value, float) else value


def test_an_ensemble_exports_as_one_saved_model(run, ensemble, tmp_path):
    application, _ = run
    if application.name != "translation":
        pytest.skip("one kind of decoder shows what the others do")
    serving = ensemble.serving()
    write_saved_model(serving, tmp_path / "1", [])
    signature = tf.saved_model.load(tmp_path / "1").signatures["serving_default"]
    expected = serving.serve(tf.constant(TEXTS))
    found = signature(texts=tf.constant(TEXTS))
    np.testing.assert_array_equal(found["translations"], expected["translations"])


def test_members_of_other_vocabularies_are_refused(run):
    application, folder = run
    first, second = (application.trained(folder) for _ in range(2))
    if application.name == "ner":
        second.vocabularies = replace(second.vocabularies, tokens=["other"])
    elif application.name == "translation":
        second.tokenizer_vocabularies = tuple(
            replace(each, tokens=each.tokens[:-1]) for each in second.tokenizer_vocabularies
        )
    else:
        other = replace(second.tokenizer_vocabulary, tokens=("other",))
        second.tokenizer_vocabulary = other
    with pytest.raises(UserError, match="different vocabularies"):
        type(first).ensemble([first, second], LANGUAGES)
