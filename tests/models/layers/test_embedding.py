import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.layers.embedding import CharacterConvolution, OpenEmbedding, embed


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


@pytest.mark.parametrize(("characters", "features"), [(0, 5), (7, 5 + 96)])
def test_the_front_end_joins_words_and_letters_and_says_where_padding_is(characters, features):
    inputs, x, mask = embed(10, 5, character_vocabulary_size=characters, max_word_length=4)
    assert set(inputs) == ({"token_ids", "character_ids"} if characters else {"token_ids"})
    model = keras.Model(inputs, {"x": x, "mask": mask})
    given = {
        "token_ids": np.array([[2, 3, 0]]),
        "character_ids": np.array([[[2, 3, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]]),
    }
    answer = model({name: given[name] for name in inputs})
    assert answer["x"].shape == (1, 3, features)
    assert np.asarray(answer["mask"]).tolist() == [[True, True, False]]


@pytest.fixture
def opened():
    """Ids 0 to 2 are trained, 3 and 4 are given."""
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, OpenEmbedding(3, 2, open_rows=2, name="embedding")(ids))
    layer = model.get_layer("embedding")
    layer.embeddings.assign([[0, 0], [1, 1], [2, 2]])
    layer.open_embeddings.assign([[3, 3], [4, 4]])
    return model


IDS = np.array([[4, 1, 0], [2, 3, 4]])


def test_open_rows_follow_the_trained_ones(opened):
    assert_array_equal(opened(IDS), np.stack([IDS, IDS], axis=-1))


def test_training_leaves_open_rows_as_they_are(opened):
    opened.compile("sgd", "mse")
    opened.fit(IDS, np.zeros((2, 3, 2)), verbose=0)
    layer = opened.get_layer("embedding")
    assert_array_equal(layer.open_embeddings, [[3, 3], [4, 4]])
    assert (layer.embeddings.numpy()[1:] < [[1, 1], [2, 2]]).all()


def test_open_rows_come_back_from_a_file(opened, tmp_path):
    opened.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_array_equal(loaded(IDS), opened(IDS))
    assert loaded.get_layer("embedding").open_rows == 2
