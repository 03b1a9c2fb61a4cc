import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.classification.adversarial import PERTURBATION, step_against
from models.classification.classifier import TextClassifier
from models.copies import copy_with

IDS = {"token_ids": np.array([[2, 3, 4], [5, 2, 0]], "int32")}
TARGETS = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")


def classifier(size, dropout=0.0):
    keras.utils.set_random_seed(3)
    model = TextClassifier(
        vocabulary_size=6,
        num_classes=2,
        embedding_dim=4,
        recurrent={"cell": "gru", "units": 3},
        pooling=("mean",),
        dropout=dropout,
        adversarial=size,
    )
    # As of a trained model: with the initial vectors the loss is all but flat.
    vectors = model.get_layer("embedding").embeddings
    vectors.assign(tf.random.stateless_normal(vectors.shape, [1, 2]))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5), loss, jit_compile=False)
    return model


def loss_of(model, move=0.0):
    """The loss of the batch with its vectors moved, without dropout."""
    model.get_layer(PERTURBATION).move = move
    value = float(model.loss(TARGETS, model(IDS)))
    model.get_layer(PERTURBATION).move = None
    return value


def test_a_step_has_its_size_in_deviations_of_a_feature_and_leaves_padding_where_it_is():
    vectors = tf.constant([[[3.0, -1.0], [1.0, 1.0]], [[2.0, 2.0], [9.0, 9.0]]])
    mask = tf.constant([[True, True], [True, False]])
    gradient = tf.constant([[[3.0, 0.0], [0.0, 4.0]], [[0.0, 1.0], [5.0, 5.0]]])
    # Six features at real tokens: (9 + 1 + 1 + 1 + 4 + 4) / 6.
    unit = np.sqrt(20 / 6)
    expected = 2 * unit * np.array([[[0.6, 0.0], [0.0, 0.8]], [[0.0, 1.0], [0.0, 0.0]]])
    assert_allclose(step_against(vectors, gradient, mask, 2.0), expected, rtol=1e-6)


def test_no_gradient_and_no_token_move_nothing():
    step = step_against(tf.ones([1, 2, 3]), tf.zeros([1, 2, 3]), tf.zeros([1, 2], tf.bool), 5.0)
    assert_array_equal(step, np.zeros([1, 2, 3]))


def test_the_move_raises_the_loss_more_than_chance_does():
    model = classifier(1.0)
    layer = model.get_layer(PERTURBATION)
    with tf.GradientTape() as tape:
        loss = model.loss(TARGETS, model(IDS))
    vectors, mask = layer.vectors, layer.mask
    move = step_against(vectors, tape.gradient(loss, vectors), mask, 1.0)
    directions = tf.random.stateless_normal([20, *vectors.shape], [3, 4])
    by_chance = [loss_of(model, step_against(vectors, each, mask, 1.0)) for each in directions]
    assert loss_of(model, move) > max(by_chance) > loss_of(model) - 1


def test_a_training_step_descends_the_sum_of_both_losses():
    model = classifier(1.5)
    layer, weights = model.get_layer(PERTURBATION), model.trainable_weights
    before = [weight.numpy() for weight in weights]
    with tf.GradientTape() as tape:
        loss = model.loss(TARGETS, model(IDS))
    plain = tape.gradient(loss, [*weights, layer.vectors])
    layer.move = step_against(layer.vectors, plain.pop(), layer.mask, 1.5)
    with tf.GradientTape() as tape:
        moved_loss = model.loss(TARGETS, model(IDS))
    layer.move = None
    moved = tape.gradient(moved_loss, weights)
    logs = model.train_on_batch(IDS, TARGETS, return_dict=True)
    assert logs["loss"] == pytest.approx(float(loss), rel=1e-6)
    for weight, old, first, second in zip(weights, before, plain, moved, strict=True):
        first, second = map(tf.convert_to_tensor, (first, second))
        assert_allclose(weight, old - 0.5 * (first + second), atol=1e-6)
    assert layer.move is None


def test_it_learns_compiled_and_with_dropout():
    model = classifier(1.0, dropout=0.2)
    model.compile(keras.optimizers.Adam(0.05), model.loss, jit_compile=True)
    before = loss_of(model)
    for _ in range(20):
        model.train_on_batch(IDS, TARGETS)
    assert loss_of(model) < 0.5 * before


def test_outside_of_training_it_is_the_same_model(tmp_path):
    model = classifier(2.0)
    logits = model(IDS)
    assert_array_equal(copy_with(model, adversarial=0.0)(IDS), logits)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.settings["adversarial"] == 2.0
    assert_array_equal(again(IDS), logits)
