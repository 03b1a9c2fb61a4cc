"""The mean of several translators."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from data.text.special_tokens import END, START
from models.model_archive import read_model
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.ensemble import TranslatorEnsemble
from models.seq2seq.search import TranslationSearch

SOURCES = tf.constant([[5, 4, END], [6, END, 0]])
TARGETS = tf.constant([[START, 4, 5], [START, 6, 0]])
INPUTS = {"token_ids": SOURCES, "target_ids": TARGETS}
VARIANTS = {
    "attention": {},
    "none": {"attention": "none"},
    "copy and feeding": {"copy": True, "feeding": "attentional"},
}


def translator(seed, **options):
    keras.utils.set_random_seed(seed)
    return Translator(7, 7, 4, {"cell": "gru", "units": 3}, **options)


@pytest.fixture(scope="module", params=VARIANTS)
def members(request):
    return [translator(seed, **VARIANTS[request.param]) for seed in (1, 2)]


@pytest.fixture(scope="module")
def ensemble(members):
    return TranslatorEnsemble.from_models(members)


def test_the_next_tokens_probabilities_are_the_mean(members, ensemble):
    expected = np.mean([tf.nn.softmax(member(INPUTS)) for member in members], axis=0)
    assert_allclose(tf.nn.softmax(ensemble(INPUTS)), expected, rtol=1e-5)


def test_steps_of_a_search_see_that_mean(ensemble):
    memory, states = ensemble.encode(SOURCES)
    state = ensemble.decoder.initial_state(states)
    whole = tf.nn.log_softmax(ensemble(INPUTS))
    for step in range(2):
        logits, state = ensemble.decoder.step(TARGETS[:, step], state, memory)
        assert_allclose(logits, whole[:, step], atol=1e-5)
    assert_array_equal(state["position"], [2, 2])


def test_a_beam_finds_the_most_probable_translation_of_the_mean(ensemble):
    # All translations of at most two tokens, by hand.
    sources = SOURCES[:1]
    tokens = [3, 4, 5, 6]
    texts = [list(ids) for count in (0, 1, 2) for ids in itertools.product(tokens, repeat=count)]
    texts = [[*(t for t in text if t != END), END] for text in texts if END not in text]

    def score(text):
        target = tf.constant([[START, *text[:-1]]])
        logs = tf.nn.log_softmax(ensemble({"token_ids": sources, "target_ids": target}))[0]
        return float(sum(logs[place, token] for place, token in enumerate(text)))

    best = max(texts, key=score)
    search = TranslationSearch(beam_width=30, max_length=2, banned_ids=(0, 1, 2))
    ids, _ = search(ensemble, sources)
    assert [token for token in ids[0, 0].numpy() if token] == best


def test_coverage_and_attention_are_the_mean_of_the_members(members, ensemble):
    weights = np.mean([each.attention_weights(SOURCES, TARGETS) for each in members], axis=0)
    assert_allclose(ensemble.attention_weights(SOURCES, TARGETS), weights, atol=1e-6)
    if ensemble.decoder.attention is None:
        return
    memory, states = ensemble.encode(SOURCES)
    state = ensemble.decoder.initial_state(states, tf.zeros([2, 3]))
    _, state = ensemble.decoder.step(TARGETS[:, 0], state, memory)
    assert_allclose(state["coverage"], weights[:, 0], atol=1e-6)
    TranslationSearch(beam_width=2, max_length=2, coverage_penalty=0.1)(ensemble, SOURCES)


def test_a_saved_ensemble_and_its_copy_for_export_answer_the_same(ensemble, tmp_path):
    ensemble.save(tmp_path / "model.keras")
    for model in (read_model(tmp_path / "model.keras"), ensemble.for_export()):
        assert_allclose(model(INPUTS), ensemble(INPUTS), atol=1e-6)
