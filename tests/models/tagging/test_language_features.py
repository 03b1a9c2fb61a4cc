import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from data.text.special_tokens import START
from models.language_model.language_model import LanguageModel
from models.tagging.language_features import LanguageFeatures
from models.tagging.tagger import Tagger
from models.transfer import attach_language_model, language_settings

IDS = np.array([[4, 7, 1, 5], [6, 4, 0, 0]], np.int32)
SHAPES = {"vocabulary_size": 9, "embedding_dim": 3}


@pytest.fixture(scope="module")
def language_model():
    keras.utils.set_random_seed(3)
    recurrent = {"cell": "lstm", "units": 4, "num_layers": 2, "dropout": 0.5, "weight_drop": 0.5}
    return LanguageModel(**SHAPES, recurrent=recurrent)


@pytest.fixture
def tagger(language_model):
    settings = language_settings(language_model)
    recurrent = {"cell": "gru", "units": 2, "bidirectional": True, "use_cudnn": False}
    model = Tagger(("O", "B-X", "I-X"), 8, 4, recurrent, language_model=settings)
    attach_language_model(model, language_model)
    return model


def test_features_are_what_the_language_model_remembers_behind_the_start(language_model, tagger):
    ids = np.concatenate([np.full((2, 1), START, np.int32), IDS], axis=1)
    wanted, _ = language_model.run_stack(ids, language_model.initial_states(2))
    found = tagger.get_layer("language")(IDS, training=True)  # nothing of it is dropped
    assert found.shape == (2, 4, 4)
    real = IDS > 0
    assert_allclose(found.numpy()[real], wanted.numpy()[:, 1:][real], atol=1e-6)


def test_no_gradient_and_no_optimizer_reaches_them(tagger):
    layer = tagger.get_layer("language")
    assert not layer.trainable_weights and len(layer.weights) == 7
    paths = {weight.path for weight in tagger.trainable_weights}
    assert not [path for path in paths if "language" in path]
    with tf.GradientTape() as tape:
        tape.watch(layer.embedding.embeddings.value)
        outputs = layer(IDS)
    assert tape.gradient(outputs, layer.embedding.embeddings.value) is None


def test_a_tagger_reads_them_and_is_saved_with_them(tagger, tmp_path):
    inputs = {"token_ids": IDS, "case_ids": IDS, "language_ids": IDS}
    emissions = tagger(inputs)
    other = tagger({**inputs, "language_ids": np.where(IDS > 0, 8, 0).astype(np.int32)})
    assert np.abs(emissions - other).max() > 1e-6
    tagger.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert_array_equal(again(inputs), emissions)
    assert not again.get_layer("language").trainable
    assert_allclose(again.for_export()(inputs), emissions, atol=1e-6)


def test_a_layer_is_made_again_of_its_configuration(language_model):
    layer = LanguageFeatures(**language_settings(language_model))
    again = LanguageFeatures.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.compute_output_shape((2, 5)) == (2, 5, 4) == tuple(again(np.ones((2, 5))).shape)
