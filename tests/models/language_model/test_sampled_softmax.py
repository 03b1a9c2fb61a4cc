import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.language_model.sampled_softmax import SampledSoftmax


def test_the_loss_is_that_of_the_right_token_against_the_sample(monkeypatch):
    layer = SampledSoftmax(4, candidates=2)
    monkeypatch.setattr(layer, "draw", lambda: tf.constant([0, 3], tf.int64))
    matrix = tf.constant([[1.0], [2.0], [0.0], [-1.0]])
    bias = tf.constant([0.0, 0.5, 0.0, 0.0])
    loss = layer(tf.constant([[[2.0]]]), tf.constant([[1]]), matrix, bias)

    # The logits of the sample are lowered by the logarithm of how often each is drawn:
    # 2 log((id + 2) / (id + 1)) / log(5) times.
    def logit(value, id_):
        return value - math.log(2 * math.log((id_ + 2) / (id_ + 1)) / math.log(5))

    right, others = 4.5, [logit(2.0, 0), logit(-2.0, 3)]
    expected = math.log(sum(math.exp(each) for each in [right, *others])) - right
    assert_allclose(loss, [[expected]], rtol=1e-5)


def test_a_candidate_that_is_the_right_token_does_not_count(monkeypatch):
    layer = SampledSoftmax(4, candidates=2)
    monkeypatch.setattr(layer, "draw", lambda: tf.constant([1, 1], tf.int64))
    matrix, bias = tf.ones([4, 1]), tf.zeros([4])
    assert_allclose(layer(tf.ones([1, 1, 1]), tf.constant([[1]]), matrix, bias), [[0.0]], atol=1e-6)


def test_candidates_are_drawn_as_often_as_expected():
    keras.utils.set_random_seed(0)
    layer = SampledSoftmax(6, candidates=60_000)
    counts = np.bincount(layer.draw(), minlength=6)
    expected = layer.expected_counts(tf.range(6)).numpy()
    assert_allclose(expected.sum(), 60_000, rtol=1e-5)
    assert ((counts - expected) ** 2 / expected).sum() < 20.5  # chi-square, 5 degrees, 0.1 %


def test_with_many_candidates_the_gradient_is_nearly_that_of_the_whole_softmax():
    keras.utils.set_random_seed(0)
    matrix, bias = tf.random.normal([12, 3], seed=1), tf.zeros([12])
    features, targets = tf.random.normal([1, 4, 3], seed=2), tf.constant([[1, 7, 3, 11]])
    layer = SampledSoftmax(12, candidates=30_000)
    gradients = []
    for losses in (
        lambda x: layer(x, targets, matrix, bias),
        lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(
            targets, tf.tensordot(x, tf.transpose(matrix), 1) + bias
        ),
    ):
        with tf.GradientTape() as tape:
            tape.watch(features)
            loss = tf.reduce_sum(losses(features))
        gradients.append(tape.gradient(loss, features))
    assert_allclose(*gradients, atol=0.03)


def test_where_all_candidates_are_the_right_token_there_is_no_gradient():
    layer = SampledSoftmax(1, candidates=3)
    features = tf.ones([1, 2, 1])
    with tf.GradientTape() as tape:
        tape.watch(features)
        loss = layer(features, tf.zeros([1, 2], tf.int32), tf.ones([1, 1]), tf.zeros([1]))
    assert_allclose(tape.gradient(loss, features), tf.zeros([1, 2, 1]))


@pytest.mark.parametrize("features_dtype", ["float32", "bfloat16"])
def test_in_half_precision_the_loss_is_nearly_the_same_number(features_dtype):
    matrix, bias = tf.random.normal([40, 8], seed=1), tf.random.normal([40], seed=2)
    features = tf.cast(tf.random.normal([2, 3, 8], seed=3), features_dtype)
    targets = tf.constant([[0, 7, 39], [1, 2, 3]])
    losses = []
    for dtype in ("float32", "bfloat16"):
        keras.utils.set_random_seed(0)
        layer = SampledSoftmax(40, candidates=50, dtype=dtype)
        losses.append(layer(features, targets, matrix, bias))
    assert losses[1].dtype == tf.float32
    assert_allclose(*losses, atol=0.1)
    assert not np.array_equal(*losses)
