"""Models in half the bytes."""

import json
import zipfile

import keras
import numpy as np
import pytest

from models.half_precision import write_in_half
from models.language_model.language_model import LanguageModel
from models.model_archive import read_model


@pytest.fixture(scope="module")
def model():
    """A language model that has been trained a step, so that its file has an optimizer's state."""
    model = LanguageModel(7, 4, {"cell": "gru", "units": 3})
    values = np.random.default_rng(0)
    model.set_weights([values.normal(size=each.shape) for each in model.get_weights()])
    model.compile(keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    return model


def test_a_model_in_half_precision_is_read_like_any_other(model, tmp_path):
    model.save(tmp_path / "whole.keras")
    write_in_half(tmp_path / "whole.keras", tmp_path / "half.keras")
    read = read_model(tmp_path / "half.keras")
    for before, after in zip(model.get_weights(), read.get_weights(), strict=True):
        assert after.dtype == np.float32
        np.testing.assert_array_equal(after, before.astype(np.float16).astype(np.float32))


def test_it_has_no_optimizer_and_half_the_bytes(model, tmp_path):
    model.save(tmp_path / "whole.keras")
    write_in_half(tmp_path / "whole.keras", tmp_path / "half.keras")
    with zipfile.ZipFile(tmp_path / "half.keras") as archive:
        (tmp_path / "weights.h5").write_bytes(archive.read("model.weights.h5"))
        assert json.loads(archive.read("config.json"))["registered_name"] == "models>LanguageModel"
    import h5py

    numbers = []
    with h5py.File(tmp_path / "weights.h5") as file:
        assert "optimizer" not in file
        file.visititems(lambda _, part: numbers.append(part) if hasattr(part, "shape") else None)
        assert {part.dtype for part in numbers} == {np.dtype(np.float16)}
        assert sum(part.size for part in numbers) == model.count_params()


def test_a_weight_beyond_the_range_of_16_bits_is_refused(model, tmp_path):
    large = keras.models.clone_model(model)
    large.set_weights([np.full(each.shape, 70_000.0) for each in model.get_weights()])
    large.save(tmp_path / "whole.keras")
    with pytest.raises(ValueError, match="too large for 16 bits"):
        write_in_half(tmp_path / "whole.keras", tmp_path / "half.keras")
    assert not (tmp_path / "half.keras").exists()
