import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.attention.factory import attention_layer
from models.attention.global_attention import (
    AdditiveAttention,
    ConcatAttention,
    DotAttention,
    GeneralAttention,
)
from models.attention.local_attention import LocalMonotonicAttention, LocalPredictiveAttention
from models.attention.self_attention import SelfAttention
from models.precision import dtype_policy
from models.registry import ATTENTIONS

# Two queries of two features; three positions, of which the last is padding.
QUERY = np.array([[[1.0, 0.0], [0.0, 2.0]]], "float32")
VALUES = np.array([[[0.0, 1.0], [2.0, 1.0], [9.0, 9.0]]], "float32")
MASK = np.array([[True, True, False]])


def called(layer, weights, query=QUERY, values=VALUES, mask=MASK, positions=None):
    """The weights of a layer whose own weights are given, and its context."""
    layer.build(query.shape, None, values.shape)
    layer.set_weights([np.array(weight, "float32") for weight in weights])
    context, shares = layer(query, layer.keys_of(values), values, mask=mask, positions=positions)
    return np.array(shares), np.array(context)


def softmax(*scores):
    powers = np.exp(scores)
    return powers / powers.sum()


# Scores of the first query 0 and 2, of the second 2 and 2.
def test_dot_by_hand():
    shares, context = called(DotAttention(2), [])
    assert_allclose(shares, [[[*softmax(0, 2), 0], [0.5, 0.5, 0]]], rtol=1e-6)
    assert_allclose(context, [[[2 * softmax(0, 2)[1], 1], [1, 1]]], rtol=1e-6)


# W v is v with its features exchanged: scores 1 and 1, then 0 and 4.
def test_general_by_hand():
    shares, _ = called(GeneralAttention(2), [[[0, 1], [1, 0]]])
    assert_allclose(shares, [[[0.5, 0.5, 0], [*softmax(0, 4), 0]]], rtol=1e-6)


# tanh(q1 + b + v1), times 3: q1 is 1 and 0, b 0.5, v1 0 and 2.
def test_additive_by_hand():
    weights = [[[1], [0]], [0.5], [[1], [0]], [[3]]]
    shares, _ = called(AdditiveAttention(1), weights)
    first, second = 3 * np.tanh([1.5, 3.5]), 3 * np.tanh([0.5, 2.5])
    assert_allclose(shares[0, :, :2], [softmax(*first), softmax(*second)], rtol=1e-5)


# W reads the query's second feature and the value's first: tanh(q2 + v1), times 2.
def test_concat_by_hand():
    shares, _ = called(ConcatAttention(1), [[[0], [1], [1], [0]], [2]])
    first, second = 2 * np.tanh([0.0, 2.0]), 2 * np.tanh([2.0, 4.0])
    assert_allclose(shares[0, :, :2], [softmax(*first), softmax(*second)], rtol=1e-5)


LINE = np.arange(6, dtype="float32").reshape(1, 6, 1)
ALL = np.ones([1, 6], bool)


# Scores are the positions themselves; windows of one position on either side of 0, 3 and 5.
def test_the_monotonic_window_by_hand():
    query = np.ones([1, 3, 1], "float32")
    shares, _ = called(
        LocalMonotonicAttention(1, 1), [[[1]]], query, LINE, ALL, np.array([0, 3, 9])
    )
    expected = [
        [*softmax(0, 1), 0, 0, 0, 0],
        [0, 0, *softmax(2, 3, 4), 0],
        [0, 0, 0, 0, *softmax(4, 5)],
    ]
    assert_allclose(shares[0], expected, rtol=1e-5)


# The middle is 5 sigmoid(0) = 2.5: positions 1 to 4 are within 2, their deviation is 1.
def test_the_predicted_window_by_hand():
    query = np.ones([1, 1, 1], "float32")
    weights = [[[1]], [[1]], [[0]]]
    shares, _ = called(LocalPredictiveAttention(1, 2), weights, query, LINE, ALL)
    gauss = np.exp(-np.square([-1.5, -0.5, 0.5, 1.5]) / 2)
    assert_allclose(shares[0, 0], [0, *softmax(1, 2, 3, 4) * gauss, 0], rtol=1e-5)


# Q h, K h and V h are the first feature, 1 and 2: the first row's scores are 1 and 2.
def test_self_attention_by_hand():
    layer, inputs = SelfAttention(1), np.array([[[1.0, 5.0], [2.0, 5.0], [9.0, 9.0]]], "float32")
    layer.build(inputs.shape)
    one = np.array([[1.0], [0.0]])
    layer.set_weights([one, one, one, np.array([[0.0, 10.0]])])
    outputs = layer(inputs, mask=MASK)
    found = softmax(1, 2) @ [1, 2]
    assert_allclose(outputs[0, 0], [1, 5 + 10 * found], rtol=1e-5)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_padding_is_never_attended_to(name):
    layer, generator = attention_layer(name, 4, window=2), np.random.default_rng(0)
    query, values = (generator.normal(size=(2, n, 4)).astype("float32") for n in (3, 5))
    mask = np.arange(5) < np.array([[5], [2]])
    layer.build(query.shape, None, values.shape)
    context, weights = layer(query, layer.keys_of(values), values, mask=mask)
    assert_array_equal(np.array(weights)[1, :, 2:], 0.0)
    changed = np.where(mask[..., None], values, 1e3).astype("float32")
    again, _ = layer(query, layer.keys_of(changed), changed, mask=mask)
    assert_allclose(context, again, atol=1e-5)
    total = np.array(weights).sum(-1)
    assert (total <= 1.0001).all() if name == "local-p" else np.allclose(total, 1.0, atol=1e-5)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_one_step_at_a_time_gives_what_all_steps_give(name):
    layer, generator = attention_layer(name, 4), np.random.default_rng(0)
    query, values = (generator.normal(size=(2, n, 4)).astype("float32") for n in (3, 5))
    layer.build(query.shape, None, values.shape)
    keys = layer.keys_of(values)
    together, _ = layer(query, keys, values)
    for step in range(3):
        alone, _ = layer(query[:, step : step + 1], keys, values, positions=np.array([step]))
        assert_allclose(alone[:, 0], together[:, step], atol=1e-6)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_the_configuration_makes_the_same_layer(name):
    layer = attention_layer(name, 3)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()


def test_in_half_precision_the_softmax_is_float32():
    with dtype_policy("mixed_bfloat16"):
        layer = GeneralAttention(2)
    layer.build(QUERY.shape, None, VALUES.shape)
    context, weights = layer(QUERY, layer.keys_of(VALUES), VALUES, mask=MASK)
    assert (weights.dtype, context.dtype) == ("float32", "bfloat16")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"Unknown attention 'dto'\. Choose one of: additive"):
        attention_layer("dto", 4)


def test_dot_attention_wants_one_size():
    with pytest.raises(ValueError, match="dot attention needs queries and values of 2 features"):
        DotAttention(2).build((1, 1, 2), None, (1, 1, 3))
