import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from data.batches.streams import Streams
from models.language_model.language_model import LanguageModel
from models.language_model.stream_model import MeanOverTokens, StreamModel

TEXT = tf.ragged.constant([[4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7], [6, 5]], dtype=tf.int32)


def language_model(**options):
    return LanguageModel(8, 4, {"cell": "lstm", "units": 5}, **options)


def test_states_go_from_batch_to_batch_and_begin_anew_with_a_text():
    model = language_model()
    trained = StreamModel(model, 1)
    whole = tf.constant([[2, *TEXT[0].numpy()]])
    expected, _ = model.run_stack(whole, model.initial_states(1))
    found, starts = [], []
    for inputs, _ in Streams(TEXT, 1, 5, ends=False).dataset():
        found.append(trained(inputs))
        starts += inputs["starts"].numpy().tolist()
    assert starts == [True, False, False, True]
    assert_allclose(tf.concat(found[:3], axis=1)[:, :12], expected[:, :12], atol=1e-6)
    again, _ = model.run_stack(tf.constant([[2, 6]]), model.initial_states(1))
    assert_allclose(found[3][:, :2], again, atol=1e-6)


def test_what_is_carried_is_no_weight_of_the_language_model():
    model = language_model()
    trained = StreamModel(model, 3)
    assert [w.shape for w in trained.non_trainable_weights] == [(3, 5), (3, 5)]
    assert not model.non_trainable_weights
    assert len(trained.trainable_weights) == len(model.weights)


def test_losses_are_means_over_real_tokens():
    losses = tf.constant([[1.0, 2.0, 9.0], [3.0, 9.0, 9.0]])
    targets = tf.constant([[4, 5, 0], [6, 0, 0]])
    assert float(MeanOverTokens()(targets, losses)) == 2.0
    assert float(MeanOverTokens()(tf.zeros_like(targets), losses)) == 0.0


def test_penalties_are_mean_squares_of_outputs_and_of_their_changes():
    model = language_model()
    inputs = {"token_ids": tf.constant([[2, 5, 6], [2, 5, 0]]), "starts": tf.constant([True] * 2)}
    outputs = model.run_stack(inputs["token_ids"], model.initial_states(2))[0].numpy()
    shown = np.concatenate([outputs[0], outputs[1, :2]])
    change = np.concatenate([np.diff(outputs[0], axis=0), np.diff(outputs[1, :2], axis=0)])
    trained = StreamModel(model, 2, activation_penalty=2.0, slowness_penalty=3.0)
    trained(inputs, training=True)
    assert_allclose(trained.losses, [2 * np.mean(shown**2), 3 * np.mean(change**2)], rtol=1e-5)
    trained(inputs)
    assert trained.losses == []


def test_the_activation_penalty_is_of_what_dropout_leaves():
    """Merity et al. (2018) penalise the dropped output; its change they take as it was."""
    model = language_model()
    inputs = {"token_ids": tf.constant([[2, 5, 6]]), "starts": tf.constant([True])}
    outputs = model.run_stack(inputs["token_ids"], model.initial_states(1))[0].numpy()
    model.locked = lambda outputs, training: tf.where(outputs > 0, 2 * outputs, 0.0)
    trained = StreamModel(model, 1, activation_penalty=1.0, slowness_penalty=1.0)
    trained(inputs, training=True)
    dropped = np.where(outputs > 0, 2 * outputs, 0)
    expected = [np.mean(dropped**2), np.mean(np.diff(outputs, axis=1) ** 2)]
    assert_allclose(trained.losses, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "model_options"),
    [
        ({}, {"tied": True}),
        ({"candidates": 16}, {"num_labels": 2}),
        ({"candidates": 16}, {"tied": True, "backward": True}),
    ],
)
def test_training_lowers_the_loss(options, model_options):
    keras.utils.set_random_seed(0)
    trained = StreamModel(language_model(**model_options), 1, **options)
    trained.compile(keras.optimizers.Adam(0.05), MeanOverTokens(), jit_compile=False)
    both = model_options.get("backward", False)
    streams = Streams(TEXT, 1, 8, labels=np.array([0, 1]), backward=both)
    before = trained.evaluate(streams.dataset(), verbose=0)
    trained.fit(streams.dataset().repeat(20), shuffle=False, verbose=0)
    assert trained.evaluate(streams.dataset(), verbose=0) < 0.7 * before


def test_a_second_stack_carries_states_of_its_own():
    model = language_model(backward=True)
    trained = StreamModel(model, 1)
    whole = tf.constant([[2, *TEXT[0].numpy()], [2, *TEXT[0].numpy()[::-1]]])
    expected, _ = model.run_stacks(whole, model.initial_states(2))
    windows = Streams(TEXT[:1], 1, 5, ends=False, backward=True).dataset()
    found = tf.concat([trained(inputs) for inputs, _ in windows], axis=1)
    assert_allclose(found[:, :12], expected[:, :12], atol=1e-6)
    assert [w.shape for w in trained.carried] == [(2, 5), (2, 5)]


def test_the_configuration_makes_the_same_model():
    trained = StreamModel(language_model(tied=True), 2, 1.0, 2.0, 3)
    twin = StreamModel.from_config(trained.get_config())
    assert twin.get_config() == trained.get_config()


def test_no_gradient_goes_into_the_window_before():
    trained = StreamModel(language_model(), 1)
    first, second = (inputs for inputs, _ in Streams(TEXT[:1], 1, 6, ends=False).dataset())
    trained(first)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(trained(second))
    gradient = tape.gradient(loss, trained.model.embedding.embeddings)
    rows = tf.convert_to_tensor(gradient).numpy().any(axis=1)
    assert_array_equal(np.flatnonzero(rows), [4, 5, 6, 7])
