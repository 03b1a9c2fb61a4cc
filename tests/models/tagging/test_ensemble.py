"""The mean of several taggers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.model_archive import read_model
from models.tagging.ensemble import TaggerEnsemble
from models.tagging.tagger import Tagger

TAGS = ("O", "B-X", "I-X")
INPUTS = {
    "token_ids": np.array([[2, 3, 4], [4, 1, 0]], np.int32),
    "case_ids": np.array([[1, 2, 3], [3, 2, 0]], np.int32),
}
REAL = tf.constant(INPUTS["token_ids"] != 0)


def tagger(seed, head="crf"):
    keras.utils.set_random_seed(seed)
    stack = {"cell": "gru", "units": 2, "bidirectional": True}
    model = Tagger(TAGS, vocabulary_size=5, embedding_dim=3, recurrent=stack, head=head)
    if head == "crf":
        numbers = np.random.default_rng(seed)
        model.crf.set_weights([numbers.normal(size=w.shape) for w in model.crf.get_weights()])
    return model


@pytest.fixture(scope="module")
def members():
    return [tagger(seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def ensemble(members):
    return TaggerEnsemble.from_models(members)


def test_its_emissions_are_the_mean_and_so_are_its_transitions(members, ensemble):
    assert_allclose(
        ensemble(INPUTS), np.mean([member(INPUTS) for member in members], axis=0), rtol=1e-6
    )
    first, second = (member.crf.get_weights() for member in members)
    for ours, one, other in zip(ensemble.crf.get_weights(), first, second, strict=True):
        assert_allclose(ours, (one + other) / 2, rtol=1e-6)


def test_the_score_of_a_sequence_is_the_mean_of_its_scores_by_the_members(members, ensemble):
    # Less a number that all sequences of a text share, the logarithm of the normaliser.
    some, others = (np.array(tags) for tags in ([[1, 2, 3], [1, 1, 0]], [[2, 1, 1], [2, 3, 0]]))

    def difference(model):
        emissions = model(INPUTS)
        losses = [model.negative_log_likelihood(emissions, tags) for tags in (some, others)]
        return losses[1] - losses[0]

    assert_allclose(
        difference(ensemble), np.mean([difference(member) for member in members], axis=0), atol=1e-5
    )


def test_invalid_sequences_stay_forbidden(ensemble):
    emissions = np.zeros((1, 2, 3), "float32")
    emissions[0, :, 2] = 50.0  # I-X, which no text may begin with
    tags, _ = ensemble.decode(tf.constant(emissions), tf.constant([[True, True]]))
    assert_array_equal(tags, [[1, 2]])


def test_without_a_crf_the_probabilities_of_each_token_are_averaged():
    members = [tagger(seed, "softmax") for seed in (1, 2)]
    ensemble = TaggerEnsemble.from_models(members)
    assert ensemble.crf is None
    expected = np.mean([tf.nn.softmax(member(INPUTS)) for member in members], axis=0)
    assert_allclose(tf.nn.softmax(ensemble(INPUTS)), expected, rtol=1e-5)


def test_a_saved_ensemble_and_its_copy_for_export_answer_the_same(ensemble, tmp_path):
    ensemble.save(tmp_path / "model.keras")
    expected = ensemble.decode(ensemble(INPUTS), REAL)
    for model in (read_model(tmp_path / "model.keras"), ensemble.for_export()):
        for found, wanted in zip(model.decode(model(INPUTS), REAL), expected, strict=True):
            assert_allclose(found, wanted, atol=1e-5)
