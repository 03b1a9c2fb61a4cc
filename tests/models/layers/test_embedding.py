import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from models.layers.embedding import OpenEmbedding, embed


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
