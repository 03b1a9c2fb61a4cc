"""The mean of several language models."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.language_model.ensemble import LanguageModelEnsemble
from models.language_model.language_model import LanguageModel
from models.model_archive import read_model

IDS = tf.constant([[2, 5, 4], [6, 3, 0]])


def language_model(seed, **options):
    keras.utils.set_random_seed(seed)
    stack = {"cell": "lstm", "units": 3, "num_layers": 2}
    return LanguageModel(7, 4, stack, **options)


@pytest.fixture(scope="module", params=[{}, {"tied": True}, {"num_labels": 2}], ids=str)
def members(request):
    return [language_model(seed, **request.param) for seed in (1, 2)]


def states_of(model):
    return model.initial_states(2, tf.constant([0, 1]))


def test_the_next_tokens_probabilities_are_the_mean(members):
    ensemble = LanguageModelEnsemble.from_models(members)
    found, _ = ensemble(IDS, states_of(ensemble))
    expected = np.mean([tf.nn.softmax(each(IDS, states_of(each))[0]) for each in members], axis=0)
    assert_allclose(tf.nn.softmax(found), expected, rtol=1e-5)


def test_a_text_read_in_steps_has_the_same_probabilities(members):
    ensemble = LanguageModelEnsemble.from_models(members)
    whole, _ = ensemble(IDS[:1], ensemble.initial_states(1, tf.constant([1])))
    states = ensemble.initial_states(1, tf.constant([1]))
    for step in range(3):
        logits, states = ensemble.step(IDS[:1, step], states)
        assert_allclose(logits, whole[:, step], atol=1e-5)


def test_a_saved_ensemble_and_its_copy_for_export_answer_the_same(members, tmp_path):
    ensemble = LanguageModelEnsemble.from_models(members)
    ensemble.save(tmp_path / "model.keras")
    expected, _ = ensemble(IDS, states_of(ensemble))
    for model in (read_model(tmp_path / "model.keras"), ensemble.for_export()):
        assert_allclose(model(IDS, states_of(model))[0], expected, atol=1e-6)


def test_members_with_second_stacks_answer_by_their_first_ones():
    ensemble = LanguageModelEnsemble.from_models([language_model(i, backward=True) for i in (1, 2)])
    plain = ensemble.without_backward()
    assert [member.backward_stack for member in plain.members] == [None, None]
    assert_allclose(plain(IDS)[0], ensemble(IDS)[0], atol=1e-6)
