import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.layers.pooling import AttentionPooling, LastState, MaskedMax, MaskedMean, pooling_layer
from models.recurrent.factory import recurrent_layer
from models.registry import POOLINGS

# One text of three steps, of which the last is padding.
STEPS = np.array([[[0.0, 2.0], [1.0, 4.0], [9.0, 9.0]]], "float32")
MASK = np.array([[True, True, False]])


@pytest.mark.parametrize(
    ("layer", "masked", "unmasked"),
    [
        (LastState(), [1, 4], [9, 9]),
        (LastState(bidirectional=True), [1, 2], [9, 2]),
        (MaskedMean(), [0.5, 3], [10 / 3, 5]),
        (MaskedMax(), [1, 4], [9, 9]),
    ],
    ids=["last", "last of both directions", "mean", "max"],
)
def test_the_pooled_vector_by_hand(layer, masked, unmasked):
    assert_allclose(layer(STEPS, mask=MASK), [masked], rtol=1e-6)
    assert_allclose(layer(STEPS), [unmasked], rtol=1e-6)


# u = tanh(first feature): 0 and 0.761594; their softmax is 0.3183 and 0.6817.
def test_attention_by_hand():
    layer = AttentionPooling(units=1)
    layer.build((None, None, 2))
    layer.set_weights([np.array([[1.0], [0.0]]), np.array([0.0]), np.array([[1.0]])])
    assert_allclose(layer.attention_weights(STEPS, MASK), [[0.318300, 0.681700, 0.0]], atol=1e-6)
    assert_allclose(layer(STEPS, mask=MASK), [[0.681700, 3.363399]], atol=1e-6)


def test_attention_weights_sum_to_one_and_are_zero_at_padding():
    layer = AttentionPooling()
    steps = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    mask = np.arange(5) < np.array([[5], [3], [1]])
    weights = np.array(layer.attention_weights(steps, mask))
    assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)
    assert_array_equal(weights[~mask], 0.0)
    assert (weights[mask] > 0).all()


def test_the_maximum_of_negative_steps_is_negative():
    assert_array_equal(MaskedMax()(-STEPS, mask=MASK), [[0.0, -2.0]])


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_does_not_change_the_pooled_vector(name, bidirectional):
    layer = pooling_layer(name, bidirectional)
    padded = np.pad(STEPS, [(0, 0), (0, 2), (0, 0)], constant_values=-7.0)
    mask = np.pad(MASK, [(0, 0), (0, 2)])
    assert_allclose(layer(padded, mask=mask), layer(STEPS[:, :2]), rtol=1e-6)


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_row_of_padding_alone_is_finite(name, bidirectional):
    result = pooling_layer(name, bidirectional)(STEPS, mask=np.zeros((1, 3), bool))
    assert np.isfinite(result).all()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_state_is_what_the_recurrent_layer_returns(bidirectional):
    layer = recurrent_layer("gru", 3, bidirectional, return_sequences=True)
    sequence = layer(STEPS, mask=MASK)
    alone = recurrent_layer("gru", 3, bidirectional)
    alone.build(STEPS.shape)
    alone.set_weights(layer.get_weights())
    pooled = LastState(bidirectional)(sequence, mask=MASK)
    assert_allclose(pooled, alone(STEPS, mask=MASK), atol=1e-6)


@pytest.mark.parametrize("name", POOLINGS)
def test_the_configuration_makes_the_same_layer(name):
    layer = pooling_layer(name, bidirectional=True)
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert twin.compute_output_shape([2, None, 6]) == (2, 6)
    assert twin.compute_mask(STEPS, MASK) is None


def test_an_unknown_pooling_is_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match=r"pooling 'sum'\. Choose one of: last, mean, max, attent"):
        pooling_layer("sum")
