import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.layers.characters import CharacterConvolution


@pytest.fixture
def by_hand():
    """One filter of width 2, the first letter's value plus ten times the second's."""
    layer = CharacterConvolution(4, embedding_dim=1, filters=1, widths=(2,))
    layer.build((None, None, None))
    padding, unknown, a, b = [99.0], [0.5], [1.0], [2.0]
    layer.set_weights([np.array([padding, unknown, a, b]), np.array([[[1.0]], [[10.0]]])])
    return layer


A, B = 2, 3


# The windows of "ab" are _a, ab, b_: 10, 1 + 20, 2.
@pytest.mark.parametrize(
    ("word", "value"), [([A, B], 21), ([B, A], 20), ([A, 0], 10), ([1, 1], 5.5), ([0, 0], 0)]
)
def test_the_value_of_a_word_by_hand(by_hand, word, value):
    assert_allclose(by_hand(np.array([[word]])), [[[value]]])


@pytest.mark.parametrize("padding", [1, 2, 30])
def test_padding_letters_add_nothing(padding):
    layer = CharacterConvolution(9)
    words = np.array([[[2, 3, 4], [5, 0, 0]], [[8, 7, 1], [0, 0, 0]]])
    padded = np.pad(words, [(0, 0), (0, 0), (0, padding)])
    assert_allclose(layer(padded), layer(words), atol=1e-6)


def test_a_padding_word_is_zero():
    assert_array_equal(CharacterConvolution(9)(np.zeros((1, 2, 5), int)), np.zeros((1, 2, 96)))


def test_words_shorter_than_every_filter_have_a_vector():
    vector = CharacterConvolution(9, widths=(4, 5))(np.array([[[2]]]))
    assert vector.shape == (1, 1, 64)
    assert np.abs(vector).max() > 0


def test_each_width_has_its_filters():
    layer = CharacterConvolution(9, filters=5, widths=(1, 3))
    assert layer(np.ones((2, 3, 7), int)).shape == (2, 3, 10)
    assert layer.compute_output_shape([2, None, 7]) == (2, None, 10)


def test_the_configuration_makes_the_same_layer():
    layer = CharacterConvolution(9, embedding_dim=3, filters=2, widths=[2, 5], name="letters")
    twin = CharacterConvolution.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert twin.widths == (2, 5)


def test_a_saved_layer_answers_the_same(tmp_path):
    inputs = keras.Input((None, 5), dtype="int32")
    model = keras.Model(inputs, CharacterConvolution(9)(inputs))
    model.save(tmp_path / "letters.keras")
    loaded = keras.saving.load_model(tmp_path / "letters.keras")
    words = np.array([[[2, 3, 4, 0, 0], [8, 1, 0, 0, 0]]])
    assert_array_equal(loaded(words), model(words))
