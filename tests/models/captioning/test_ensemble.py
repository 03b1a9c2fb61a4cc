"""The mean of several captioners."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from data.text.special_tokens import START
from models.captioning.captioner import Captioner
from models.captioning.ensemble import CaptionerEnsemble, have_one_encoder
from models.model_archive import read_model

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)
TARGETS = np.array([[[START, 5, 6]], [[START, 7, 0]]], np.int32)
INPUTS = {"images": IMAGES, "target_ids": TARGETS}


def captioner(seed, attention="general"):
    keras.utils.set_random_seed(seed)
    recurrent = {"cell": "gru", "units": 4}
    return Captioner(9, 5, recurrent, picture_size=16, attention=attention)


@pytest.fixture(scope="module", params=["general", "none"])
def members(request):
    return [captioner(seed, request.param) for seed in (1, 2)]


def with_the_encoder_of(first, second):
    second.image_encoder.set_weights(first.image_encoder.get_weights())
    return [first, second]


@pytest.mark.parametrize("shared", [False, True])
def test_steps_of_a_search_see_the_mean_of_the_next_tokens_probabilities(members, shared):
    if shared:
        attention = members[0].settings["attention"]
        members = with_the_encoder_of(members[0], captioner(3, attention))
    assert have_one_encoder(members) == shared
    ensemble = CaptionerEnsemble.from_models(members, one_encoder=shared)
    expected = np.mean([tf.nn.softmax(member(INPUTS)) for member in members], axis=0)
    assert_allclose(tf.nn.softmax(ensemble(INPUTS)), expected, atol=1e-6)

    memory, states = ensemble.head.encode(ensemble.find_features(IMAGES))
    state = ensemble.head.decoder.initial_state(states)
    for step in range(2):
        logits, state = ensemble.head.decoder.step(TARGETS[:, 0, step], state, memory)
        assert_allclose(tf.nn.softmax(logits), expected[:, step], atol=1e-5)


def test_the_attention_is_the_mean_of_the_members(members):
    ensemble = CaptionerEnsemble.from_models(members)
    found = ensemble.head.attention_weights(ensemble.find_features(IMAGES), TARGETS[:, 0])
    each = [
        member.head.attention_weights(member.find_features(IMAGES), TARGETS[:, 0])
        for member in members
    ]
    assert_allclose(found, np.mean(each, axis=0), atol=1e-6)


def test_a_file_of_it_is_read_as_it_was_written(members, tmp_path):
    ensemble = CaptionerEnsemble.from_models(members, one_encoder=True)
    ensemble.save(tmp_path / "model.keras")
    read = read_model(tmp_path / "model.keras")
    assert isinstance(read, CaptionerEnsemble) and read.one_encoder
    assert_allclose(read(INPUTS), ensemble(INPUTS), atol=1e-6)
    assert_allclose(ensemble.for_export()(INPUTS), ensemble(INPUTS), atol=1e-6)
