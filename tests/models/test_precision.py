import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.classification.classifier import TextClassifier
from models.precision import dtype_policy, in_full_precision

IDS = {"token_ids": np.array([[2, 3, 4], [4, 1, 0]], "int32")}


def classifier(dtype):
    return TextClassifier(5, 2, 4, {"cell": "gru", "units": 3, "bidirectional": True}, dtype=dtype)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_layers_compute_in_half_precision_and_logits_are_whole(dtype):
    model = classifier(dtype)
    half = dtype.removeprefix("mixed_")
    for layer in ("embedding", "recurrent", "attention_pooling"):
        name = next(each.name for each in model.layers if each.name.startswith(layer))
        assert model.get_layer(name).compute_dtype == half
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model(IDS).dtype == model.get_layer("logits").compute_dtype == tf.float32


def test_what_is_made_after_a_half_model_is_whole():
    classifier("mixed_float16")
    assert keras.layers.Dense(1).compute_dtype == "float32"
    with pytest.raises(ValueError, match="cell"), dtype_policy("mixed_float16"):
        TextClassifier(5, 2, 4, {"cell": "gur", "units": 3})
    assert keras.config.dtype_policy().name == "float32"


def test_a_half_model_answers_in_full_precision_with_the_same_weights():
    half = classifier("mixed_bfloat16")
    full = in_full_precision(half)
    for ours, theirs in zip(full.get_weights(), half.get_weights(), strict=True):
        assert_array_equal(ours, theirs)
    assert full.get_layer("recurrent").compute_dtype == "float32"
    assert_allclose(full(IDS), half(IDS), atol=0.02)
    assert np.abs(full(IDS) - half(IDS)).max() > 1e-6


def test_a_whole_model_is_left_as_it_is():
    model = classifier("float32")
    assert in_full_precision(model) is model


def test_the_precision_is_part_of_the_configuration():
    model = classifier("mixed_bfloat16")
    twin = TextClassifier.from_config(model.get_config())
    assert twin.get_layer("recurrent").compute_dtype == "bfloat16"
