import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.classification.classifier import TextClassifier
from models.classification.ensemble import Ensemble
from models.members import mean_logits

IDS = {
    "token_ids": np.array([[2, 3, 4], [4, 1, 0]], "int32"),
    "character_ids": np.array([[[2, 3], [4, 0], [2, 2]], [[3, 0], [2, 4], [0, 0]]], "int32"),
}
SIZES = {"vocabulary_size": 5, "num_classes": 3, "character_vocabulary_size": 5}


def classifier(seed, name="text_classifier"):
    keras.utils.set_random_seed(seed)
    stack = {"cell": "gru", "units": 3, "bidirectional": True}
    return TextClassifier(
        **SIZES, embedding_dim=4, recurrent=stack, dropout=0.5, max_word_length=2, name=name
    )


@pytest.fixture(scope="module")
def members():
    return [classifier(seed) for seed in (1, 2, 3)]


def logits_of(*probabilities):
    """<float32>[1, classes] of sigmoids."""
    p = np.array([probabilities])
    return np.log(p / (1 - p)).astype("float32")


def test_shares_of_one_are_averaged():
    # Shares 1/4, 3/4 and 1/2, 1/2.
    logits = [np.log(np.array([[1.0, 3.0]], "float32")), np.array([[7.0, 7.0]], "float32")]
    assert_allclose(tf.nn.softmax(mean_logits(logits, False)), [[3 / 8, 5 / 8]], rtol=1e-6)


def test_independent_probabilities_are_averaged():
    logits = [logits_of(0.5, 0.9, 0.2), logits_of(0.5, 0.3, 0.2), logits_of(0.5, 0.6, 0.5)]
    assert_allclose(tf.nn.sigmoid(mean_logits(logits, True)), [[0.5, 0.6, 0.3]], rtol=1e-6)


@pytest.mark.parametrize("multi_label", [False, True])
def test_one_models_probabilities_are_its_own(multi_label):
    logits = np.array([[1.5, -0.5, 30.0]], "float32")
    found = mean_logits([logits], multi_label)
    to_scores = tf.nn.sigmoid if multi_label else tf.nn.softmax
    assert_allclose(to_scores(found), to_scores(logits), rtol=1e-6)


def test_large_logits_lose_nothing():
    one, other = np.array([[900.0, 0.0]], "float32"), np.array([[0.0, 900.0]], "float32")
    assert_allclose(tf.nn.softmax(mean_logits([one, other], False)), [[0.5, 0.5]])
    assert_allclose(mean_logits([one, one], True), one)
    assert_allclose(mean_logits([-one, one], True), [[0.0, 0.0]])


@pytest.mark.parametrize(("multi_label", "to_scores"), [(False, tf.nn.softmax), (True, tf.sigmoid)])
def test_an_ensembles_probabilities_are_the_mean_of_its_members(members, multi_label, to_scores):
    ensemble = Ensemble.from_models(members, multi_label)
    expected = np.mean([to_scores(member(IDS)) for member in members], axis=0)
    assert_allclose(to_scores(ensemble(IDS)), expected, rtol=1e-5)
    assert ensemble(IDS).dtype == tf.float32


def test_an_ensemble_holds_copies_of_models_of_one_name(members):
    before = [member.name for member in members]
    ensemble = Ensemble.from_models(members, False)
    assert [member.name for member in members] == before
    for ours, theirs in zip(ensemble.members, members, strict=True):
        assert ours is not theirs
        assert_array_equal(ours.get_weights()[0], theirs.get_weights()[0])
    assert len(ensemble.weights) == sum(len(member.weights) for member in members)


def test_it_has_the_sizes_of_its_members(members):
    settings = Ensemble.from_models(members, False).settings
    assert {name: settings[name] for name in SIZES} == SIZES


def test_an_ensemble_of_none_is_refused():
    with pytest.raises(ValueError, match="one member at least"):
        Ensemble.from_models([], False)


def test_the_configuration_makes_the_same_model(members):
    ensemble = Ensemble.from_models(members, True)
    twin = Ensemble.from_config(ensemble.get_config())
    twin.set_weights(ensemble.get_weights())
    assert twin.get_config() == ensemble.get_config()
    assert_array_equal(twin(IDS), ensemble(IDS))


def test_a_portable_ensemble_has_portable_members_with_the_same_logits(members):
    ensemble = Ensemble.from_models(members, False)
    for_export = ensemble.for_export()
    assert [m.settings["recurrent"]["use_cudnn"] for m in for_export.members] == [False] * 3
    assert_allclose(for_export(IDS), ensemble(IDS), atol=1e-6)


LOAD = """
import sys, keras, numpy as np
import models.classification.classifier, models.classification.ensemble
model = keras.saving.load_model(sys.argv[1], compile=False, safe_mode=True)
np.save(sys.argv[3], model.predict(dict(np.load(sys.argv[2])), verbose=0))
"""


def test_a_saved_ensemble_answers_the_same_in_a_fresh_process(
    members, tmp_path, tensorflow_process
):
    ensemble = Ensemble.from_models(members, False)
    ensemble.save(tmp_path / "model.keras")
    np.savez(tmp_path / "in.npz", **IDS)
    done = tensorflow_process(LOAD, *(tmp_path / n for n in ("model.keras", "in.npz", "out.npy")))
    assert done.returncode == 0, done.stderr
    assert_array_equal(np.load(tmp_path / "out.npy"), ensemble.predict(IDS, verbose=0))
