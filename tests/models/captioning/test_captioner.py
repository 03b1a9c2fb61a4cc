"""The captioner: what it computes of a picture serves all of its captions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.text.special_tokens import START
from models.captioning.captioner import FeatureCaptioner, doubly_stochastic_loss
from models.captioning.pretrained import find_weights, unfreeze
from models.seq2seq.decoder import TranslationDecoder

FEATURES = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
# Two captions of each picture; the second one of the second picture is missing.
TARGETS = np.array([[[START, 5, 6], [START, 7, 0]], [[START, 6, 6], [0, 0, 0]]], np.int32)


@pytest.fixture(scope="module", params=["general", "none"])
def captioner(request):
    decoder = TranslationDecoder(9, 5, {"cell": "gru", "units": 4}, request.param, name="decoder")
    return FeatureCaptioner((4, 3), decoder, dropout=0.0)


def test_the_captions_of_a_picture_do_not_know_of_each_other(captioner):
    together = captioner({"features": FEATURES, "target_ids": TARGETS}).numpy()
    assert together.shape == (2, 6, 9)
    for place in range(2):
        alone = captioner({"features": FEATURES, "target_ids": TARGETS[:, place : place + 1]})
        assert together[:, 3 * place : 3 * place + 3] == pytest.approx(alone.numpy(), abs=1e-5)


def test_the_search_sees_what_the_training_sees(captioner):
    memory, states = captioner.encode(tf.constant(FEATURES))
    assert memory.mask.numpy().all() and memory.mask.shape == (2, 4)
    logits, _ = captioner.decoder.step(
        tf.constant([START, START]), captioner.decoder.initial_state(states), memory
    )
    trained = captioner({"features": FEATURES, "target_ids": TARGETS})
    assert logits.numpy() == pytest.approx(trained.numpy()[:, 0], abs=1e-5)


def test_the_attention_of_each_word_sums_to_one_or_is_none(captioner):
    weights = captioner.attention_weights(tf.constant(FEATURES), tf.constant(TARGETS[:, 0]))
    expected = 0.0 if captioner.decoder.attention is None else 1.0
    assert weights.shape == (2, 3, 4)
    assert weights.numpy().sum(axis=-1) == pytest.approx(np.full((2, 3), expected), abs=1e-6)


def test_a_caption_should_look_at_each_place_once():
    weights = tf.constant([[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], [[1.0, 0.0]] * 3])
    mask = tf.constant([[True, True, False], [False, False, False]])
    # The first caption looks at its places 1.5 times and 0.5 times; the second row is none.
    assert float(doubly_stochastic_loss(weights, mask)) == pytest.approx(0.25 + 0.25)


def test_the_loss_of_the_attention_is_part_of_the_training_alone():
    decoder = TranslationDecoder(9, 5, {"cell": "gru", "units": 4}, "dot", name="decoder")
    captioner = FeatureCaptioner((4, 3), decoder, 0.0, doubly_stochastic=1.0)
    inputs = {"features": FEATURES, "target_ids": TARGETS}
    captioner(inputs)
    assert captioner.losses == []
    captioner(inputs, training=True)
    assert len(captioner.losses) == 1 and float(captioner.losses[0]) > 0.0


def test_weights_that_are_not_there_are_not_downloaded(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"no weights of MobileNetV2 in .*none are downloaded"):
        find_weights("MobileNetV2")
    (tmp_path / "models").mkdir()
    # Keras writes names in several ways.
    for name in ("mobilenet_v2_weights_1.0_224_no_top.h5", "mobilenet_v2_weights_1.4_no_top.h5"):
        (tmp_path / "models" / name).touch()
    assert find_weights("MobileNetV2").name == "mobilenet_v2_weights_1.0_224_no_top.h5"
    with pytest.raises(UserError, match=r"no file .lost\.h5."):
        find_weights("MobileNetV2", "lost.h5")


def test_a_trained_encoder_learns_all_but_its_normalisations():
    convolution = keras.layers.Conv2D(2, 1, use_bias=False)
    inner = keras.Sequential([convolution, keras.layers.BatchNormalization()])
    encoder = keras.Sequential([keras.Input((4, 4, 3)), inner])
    encoder.trainable = False
    unfreeze(encoder)
    assert [weight.path for weight in encoder.trainable_variables] == [convolution.kernel.path]
    before = [weight.numpy() for weight in encoder.weights]
    encoder(tf.ones([2, 4, 4, 3]), training=True)
    for weight, value in zip(encoder.weights, before, strict=True):
        assert weight.numpy() == pytest.approx(value)
