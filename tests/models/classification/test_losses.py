import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.classification.losses import FocalBinaryCrossentropy, class_weights, classification_loss

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], "float32")
ONE_EACH = np.array([[1, 0, 0], [0, 0, 1]], "float32")
ANY_NUMBER = np.array([[1, 0, 1], [0, 0, 0]], "float32")


# Two classes at 8 : 2; weights 1/0.8 and 1/0.2, divided by their mean of 2 over the examples.
@pytest.mark.parametrize(
    ("power", "weights"), [(0.0, [1, 1]), (1.0, [0.625, 2.5]), (0.5, [0.83333, 1.66667])]
)
def test_class_weights_by_hand(power, weights):
    targets = np.eye(2, dtype="float32")[[0] * 8 + [1] * 2]
    assert class_weights(targets, power) == pytest.approx(weights, rel=1e-5)


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0, 2.0])
def test_class_weights_have_a_mean_of_one_over_the_examples(power):
    targets = np.eye(3, dtype="float32")[[0] * 12 + [1] * 5 + [2] * 2]
    weight_of_each = targets @ np.array(class_weights(targets, power))
    assert weight_of_each.mean() == pytest.approx(1.0)


def test_a_class_that_never_occurs_has_a_finite_weight():
    weights = class_weights(np.array([[1, 0], [1, 0]], "float32"), 1.0)
    assert np.isfinite(weights).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equal_weights_and_no_focus_are_categorical_cross_entropy(smoothing):
    loss = classification_loss(False, [1.0, 1.0, 1.0], 0.0, smoothing)
    keras_loss = keras.losses.CategoricalCrossentropy(True, smoothing)
    assert_allclose(loss(ONE_EACH, LOGITS), keras_loss(ONE_EACH, LOGITS), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equal_weights_and_no_focus_are_binary_cross_entropy_summed_over_classes(smoothing):
    loss = classification_loss(True, [1.0, 1.0, 1.0], 0.0, smoothing)
    keras_loss = keras.losses.BinaryCrossentropy(True, smoothing)
    assert_allclose(loss(ANY_NUMBER, LOGITS), 3 * keras_loss(ANY_NUMBER, LOGITS), rtol=1e-6)


# softmax(ln 3, 0) = 3/4, 1/4: the first text pays w (1/4)^2 (-ln 3/4), the second
# w (3/4)^2 (-ln 1/4).
def test_focal_loss_of_one_class_a_text_by_hand():
    loss = classification_loss(False, [1.0, 2.0], gamma=2.0, label_smoothing=0.0)
    logits = np.array([[np.log(3.0), 0.0]], "float32")
    assert_allclose(loss(np.array([[1.0, 0.0]]), logits), 0.0179801, rtol=1e-5)
    assert_allclose(loss(np.array([[0.0, 1.0]]), logits), 2 * 0.7797906, rtol=1e-5)


# sigmoid(ln 3) = 3/4: a positive pays w (1/4)^2 (-ln 3/4), a negative (3/4)^2 (-ln 1/4).
def test_focal_loss_of_any_number_of_classes_by_hand():
    loss = FocalBinaryCrossentropy(weights=[5.0, 7.0], gamma=2.0)
    logits = np.full((1, 2), np.log(3.0), "float32")
    found = loss(np.array([[1.0, 0.0]], "float32"), logits)
    assert_allclose(found, 5 * 0.0179801 + 0.7797906, rtol=1e-5)


@pytest.mark.parametrize("multi_label", [False, True])
def test_weights_make_a_rare_class_count(multi_label):
    plain = classification_loss(multi_label, [1.0, 1.0, 1.0], 0.0, 0.0)
    weighted = classification_loss(multi_label, [0.5, 1.0, 4.0], 0.0, 0.0)
    rare = np.array([[0, 0, 1]], "float32")
    assert weighted(rare, LOGITS[1:]) > plain(rare, LOGITS[1:])


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_certain_logits_have_a_finite_loss(gamma, logit):
    loss = FocalBinaryCrossentropy([1.0], gamma)
    for target in (0.0, 1.0):
        assert np.isfinite(loss(np.array([[target]]), np.array([[logit]], "float32")))


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_a_certain_mistake_has_a_gradient(gamma):
    logits = tf.Variable([[30.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = classification_loss(False, [1.0, 2.0], gamma, 0.0)(np.array([[0.0, 1.0]]), logits)
    assert float(tape.gradient(loss, logits)[0, 0]) > 0.5


def test_the_configuration_makes_the_same_loss():
    loss = FocalBinaryCrossentropy([1.0, 2.0, 3.0], gamma=1.5, label_smoothing=0.1)
    twin = FocalBinaryCrossentropy.from_config(loss.get_config())
    assert twin.get_config() == loss.get_config()
    assert float(twin(ANY_NUMBER, LOGITS)) == float(loss(ANY_NUMBER, LOGITS))
