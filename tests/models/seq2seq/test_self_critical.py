"""Self-critical training, of captioners and translators."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from data.text.special_tokens import END, PADDING, START, UNKNOWN
from models.captioning.captioner import Captioner
from models.evaluation.captions.cider import CiderD
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.gleu import Gleu
from models.seq2seq.search import NEVER_SAID, TranslationSearch
from models.seq2seq.self_critical import SelfCritical, advantages_of

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)
# The two pictures of the batch look alike to people; what they say of others sets the frequencies.
CAPTIONS = tf.ragged.constant([[[5, 6], [5, 6, 7]], [[5, 6]], [[8]], [[4, 8]]], dtype=tf.int32)
BEFORE = np.array([[[START, 5, 6, 0], [START, 5, 6, 7]], [[START, 5, 6, 0], [0] * 4]], np.int32)
AFTER = np.array([[5, 6, END, 0, 5, 6, 7, END], [5, 6, END, 0, 0, 0, 0, 0]], np.int32)
MOST = 6


@pytest.fixture
def captioner():
    keras.utils.set_random_seed(1)
    return Captioner(9, 8, {"cell": "gru", "units": 8}, picture_size=16, dropout=0.1)


def make_reward():
    return CiderD([[[*each, END] for each in group] for group in CAPTIONS.to_list()])


def self_critical(captioner, captions=4, rate=0.02):
    search = TranslationSearch(max_length=MOST, bounded=False)
    model = SelfCritical(captioner, make_reward(), captions, search, seed=3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    return model


def batch(*weights):
    data = ({"images": IMAGES, "target_ids": BEFORE}, AFTER, *weights)
    return tf.data.Dataset.from_tensors(data)


def test_a_caption_is_compared_with_the_others_of_its_picture():
    found = advantages_of(tf.constant([[1.0, 2.0, 6.0], [4.0, 4.0, 4.0]]))
    assert_allclose(found, [[-3, -1.5, 4.5], [0, 0, 0]])


def test_a_caption_that_ends_as_a_reference_does_is_better_than_one_that_breaks_off():
    reward = make_reward()
    references = [[5, 6, END], [5, 6, 7, END]]
    whole, broken = reward.scores([[5, 6, END], [5, 6]], references)
    assert whole > broken > 0


def test_captions_differ_between_steps_and_hold_nothing_that_no_caption_has(captioner):
    model = self_critical(captioner, captions=50)
    first, same, other = (model.draw(IMAGES, tf.constant(step)).numpy() for step in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert first.shape[:2] == (2, 50) and first.shape[2] <= MOST + 1
    assert not np.array_equal(first[..., :2], other[..., :2])
    assert not np.isin(first, [START, UNKNOWN]).any()
    ended = np.maximum.accumulate(first == END, axis=-1)
    assert (first[..., 1:][ended[..., :-1]] == PADDING).all()
    assert (first[~ended] != PADDING).all()


def rewards_of(reward, ids, references):
    groups = [[[t for t in said if t] for said in group] for group in ids.tolist()]
    scores = [reward.scores(*each) for each in zip(groups, references, strict=True)]
    return tf.constant(scores, tf.float32)


def loss_of(logits, ids, rewards):
    """The loss of drawn answers <int32>[batch, answers, steps], written out."""
    # What is never drawn has no probability.
    logits = tf.where(np.isin(range(logits.shape[-1]), NEVER_SAID), -np.inf, logits)
    tokens = tf.nn.log_softmax(tf.reshape(logits, [*ids.shape, -1]))
    said = tf.reduce_sum(tf.gather(tokens, ids, batch_dims=3) * (ids != PADDING), axis=2)
    return -tf.reduce_sum(advantages_of(rewards) * said) / (ids != PADDING).sum()


def assert_step_is(model, weight, data, expected):
    """One step at a rate of 1 takes the expected gradient from a weight."""
    before = weight.numpy()
    model.fit(data, shuffle=False, verbose=0)
    assert np.abs(expected).max() > 1e-3
    assert_allclose(before - weight.numpy(), expected, atol=1e-5)


def test_the_gradient_is_that_of_the_advantages_times_the_log_probabilities(captioner):
    model = self_critical(captioner)
    model.compile(keras.optimizers.SGD(1.0), loss=model.loss, run_eagerly=True)
    ids = model.draw(IMAGES, tf.constant(0)).numpy()
    references = [[[*each, END] for each in group] for group in CAPTIONS[:2].to_list()]
    rewards = rewards_of(make_reward(), ids, references)
    starts = np.concatenate([np.full((*ids.shape[:2], 1), START), ids[:, :, :-1]], axis=2)
    bias = captioner.decoder.logits.weights[-1]
    with tf.GradientTape() as tape:
        logits = captioner({"images": IMAGES, "target_ids": starts}, training=False)
        loss = loss_of(logits, ids, rewards)
    assert_step_is(model, bias, batch(), tape.gradient(loss, bias.value))


def test_training_finds_captions_of_a_higher_reward(captioner):
    model = self_critical(captioner, captions=40, rate=0.03)
    history = model.fit(
        batch().repeat(60), steps_per_epoch=20, epochs=3, shuffle=False, verbose=0
    ).history
    first, *_, last = history["reward"]
    assert last > 1.1 * first


def test_rows_that_fill_up_a_batch_teach_nothing(captioner):
    model = self_critical(captioner)
    before = captioner.decoder.get_weights()
    model.fit(batch(np.zeros(2, np.float32)), shuffle=False, verbose=0)
    for old, new in zip(before, captioner.decoder.get_weights(), strict=True):
        assert_allclose(new, old, atol=1e-7)


# Two sources and what they should become, all with END.
SOURCES = np.array([[5, 6, 7, END], [8, 4, END, 0]], np.int32)
TARGETS = np.array([[7, 6, END], [4, END, 0]], np.int32)


def translator_of_its_own(answers=4, copy=False, **options):
    keras.utils.set_random_seed(2)
    recurrent = {"cell": "gru", "units": 8, "bidirectional": True}
    translator = Translator(9, 9, 8, recurrent, dropout=0.3, shared_embeddings=True, copy=copy)
    model = SelfCritical(translator, Gleu(), answers, TranslationSearch(max_length=5), seed=3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, **options)
    return translator, model


def pairs():
    starts = np.concatenate([np.full((2, 1), START, np.int32), TARGETS[:, :-1]], axis=1)
    data = ({"token_ids": SOURCES, "target_ids": starts}, TARGETS)
    return tf.data.Dataset.from_tensors(data)


@pytest.mark.parametrize("copy", [False, True])
def test_the_gradient_of_a_translator_is_that_of_its_drawn_answers(copy):
    translator, model = translator_of_its_own(
        copy=copy, optimizer=keras.optimizers.SGD(1.0), run_eagerly=True
    )
    ids = model.draw(SOURCES, tf.constant(0)).numpy()
    assert ids.shape[:2] == (2, 4)
    rewards = rewards_of(Gleu(), ids, [[[7, 6, END]], [[4, END]]])
    starts = np.concatenate([np.full((2, 4, 1), START), ids[:, :, :-1]], axis=2).reshape(8, -1)
    bias = translator.decoder.logits.weights[-1]
    with tf.GradientTape() as tape:
        inputs = {"token_ids": np.repeat(SOURCES, 4, axis=0), "target_ids": starts}
        loss = loss_of(translator(inputs, training=False), ids, rewards)
    assert_step_is(model, bias, pairs(), tape.gradient(loss, bias.value))


def test_a_translator_learns_from_its_own_answers():
    translator, model = translator_of_its_own(answers=40, optimizer=keras.optimizers.Adam(0.03))
    history = model.fit(pairs().repeat(), steps_per_epoch=20, epochs=3, shuffle=False, verbose=0)
    first, *_, last = history.history["reward"]
    assert last > first + 0.2
    found = TranslationSearch(max_length=5)(translator, SOURCES)[0].numpy()[:, 0]
    assert Gleu().scores([found[1][found[1] > 0].tolist()], [[4, END]])[0] > 0.5
