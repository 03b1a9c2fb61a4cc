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


@pytest.fixture(scope="module", params=[False, True], ids=["forward", "both ways"])
def language_model(request):
    keras.utils.set_random_seed(3)
    recurrent = {"cell": "lstm", "units": 4, "num_layers": 2, "dropout": 0.5, "weight_drop": 0.5}
    return LanguageModel(**SHAPES, recurrent=recurrent, backward=request.param)


@pytest.fixture
def tagger(language_model):
    settings = language_settings(language_model)
    recurrent = {"cell": "gru", "units": 2, "bidirectional": True, "use_cudnn": False}
    model = Tagger(("O", "B-X", "I-X"), 8, 4, recurrent, language_model=settings)
    attach_language_model(model, language_model)
    return model


def test_features_are_what_the_language_model_remembers_behind_the_start(language_model, tagger):
    start = np.full((2, 1), START, np.int32)
    states, real = language_model.initial_states(2), IDS > 0
    wanted, _ = language_model.run_stack(np.concatenate([start, IDS], axis=1), states)
    found = tagger.get_layer("language")(IDS, training=True).numpy()  # nothing of it is dropped
    assert_allclose(found[real][:, :4], wanted.numpy()[:, 1:][real], atol=1e-6)
    assert found.shape == (2, 4, 4 if language_model.backward_stack is None else 8)
    if language_model.backward_stack is not None:
        back = np.array([[5, 1, 7, 4], [4, 6, 0, 0]], np.int32)
        ids = np.concatenate([start, back], axis=1)
        wanted = language_model.run_stack(ids, states, backward=True)[0].numpy()[:, 1:]
        assert_allclose(found[0, :, 4:], wanted[0, ::-1], atol=1e-6)
        assert_allclose(found[1, :2, 4:], wanted[1, 1::-1], atol=1e-6)


def test_no_gradient_and_no_optimizer_reaches_them(tagger):
    layer = tagger.get_layer("language")
    assert not layer.trainable_weights and len(layer.weights) == (13 if layer.backward else 7)
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
    features = 8 if layer.backward else 4
    assert again.compute_output_shape((2, 5)) == (2, 5, features)
    assert again(np.ones((2, 5), np.int32)).shape == (2, 5, features)
