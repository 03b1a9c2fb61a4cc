import itertools

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.classification.classifier import TextClassifier
from models.optimization.adam import Adam
from models.registry import CELLS, POOLINGS

WORDS = np.array([[2, 3, 4, 5], [4, 2, 0, 0]], "int32")
LETTERS = np.array(
    [
        [[2, 3, 4], [5, 0, 0], [3, 3, 0], [2, 0, 0]],
        [[3, 3, 0], [2, 3, 4], [0, 0, 0], [0, 0, 0]],
    ],
    "int32",
)


def classifier(characters=True, pooling=("max", "attention"), dropout=0.0, **recurrent):
    return TextClassifier(
        vocabulary_size=6,
        num_classes=3,
        embedding_dim=4,
        recurrent={"cell": "gru", "units": 3, **recurrent},
        pooling=pooling,
        dropout=dropout,
        character_vocabulary_size=6 if characters else 0,
        max_word_length=3 if characters else 0,
    )


def inputs(characters=True, padding=0):
    ids = {"token_ids": np.pad(WORDS, [(0, 0), (0, padding)])}
    if characters:
        ids["character_ids"] = np.pad(LETTERS, [(0, 0), (0, padding), (0, 0)])
    return ids


@pytest.mark.parametrize(("cell", "pooling"), list(itertools.product(CELLS, POOLINGS)))
def test_every_cell_and_pooling_gives_a_logit_a_class(cell, pooling):
    model = classifier(pooling=(pooling,), cell=cell, bidirectional=True)
    assert model(inputs()).shape == (2, 3)


def test_several_poolings_are_joined():
    model = classifier(pooling=tuple(POOLINGS), bidirectional=True)
    assert model.get_layer("logits").kernel.shape == (4 * 2 * 3, 3)


# Letters are read before any cell: without them one cell is enough.
@pytest.mark.parametrize(
    ("cell", "characters"), [("gru", False), *((cell, True) for cell in CELLS)]
)
def test_padding_does_not_change_the_logits(cell, characters):
    model = classifier(
        characters,
        tuple(POOLINGS),
        cell=cell,
        bidirectional=True,
        num_layers=2,
        residual=True,
        layer_normalization=True,
    )
    assert_allclose(model(inputs(characters, padding=3)), model(inputs(characters)), atol=1e-5)


def test_the_other_texts_of_a_batch_do_not_change_the_logits():
    model = classifier(bidirectional=True)
    alone = {name: ids[1:] for name, ids in inputs().items()}
    assert_allclose(model(inputs())[1:], model(alone), atol=1e-6)


def test_the_letters_of_an_unknown_word_count():
    model = classifier(characters=True)
    ids = {
        "token_ids": np.array([[2, 1], [2, 1]]),
        "character_ids": np.array([[[2, 2, 0], [2, 3, 0]], [[2, 2, 0], [3, 4, 5]]]),
    }
    logits = np.array(model(ids))
    assert np.abs(logits[0] - logits[1]).max() > 1e-4


def test_dropout_acts_in_training_only():
    model = classifier(dropout=0.5)
    calm = model(inputs())
    assert_array_equal(model(inputs()), calm)
    assert np.abs(model(inputs(), training=True) - calm).max() > 1e-3


@pytest.mark.parametrize("characters", [False, True])
def test_one_step_lowers_the_loss(characters):
    model = classifier(characters)
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    targets = np.eye(3)[[0, 2]]
    before = model.test_on_batch(inputs(characters), targets)
    model.train_on_batch(inputs(characters), targets)
    assert model.test_on_batch(inputs(characters), targets) < before


def test_an_unknown_pooling_is_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match=r"pooling 'mx'\. Choose one of: last, mean, max, attent"):
        classifier(pooling=("mx",))


def test_a_model_without_pooling_is_refused():
    with pytest.raises(ValueError, match="pooling"):
        classifier(pooling=())


def test_the_configuration_makes_the_same_model():
    model = classifier(dropout=0.1, bidirectional=True)
    twin = TextClassifier.from_config(model.get_config())
    assert twin.get_config() == model.get_config()
    twin.set_weights(model.get_weights())
    assert_array_equal(twin(inputs()), model(inputs()))


def test_the_configuration_is_not_the_callers_dict():
    recurrent = {"cell": "gru", "units": 3}
    model = TextClassifier(6, 3, 4, recurrent)
    recurrent["units"] = 99
    assert model.get_config()["recurrent"]["units"] == 3


LOAD = """
import sys, keras, numpy as np
import models.classification.classifier
model = keras.saving.load_model(sys.argv[1], compile=False, safe_mode=True)
np.save(sys.argv[3], model.predict(dict(np.load(sys.argv[2])), verbose=0))
"""


def test_a_saved_model_answers_the_same_in_a_fresh_process(tmp_path, tensorflow_process):
    model = classifier(pooling=tuple(POOLINGS), num_layers=2, bidirectional=True, dropout=0.2)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "in.npz", **inputs())
    done = tensorflow_process(LOAD, *(tmp_path / n for n in ("model.keras", "in.npz", "out.npy")))
    assert done.returncode == 0, done.stderr
    assert_array_equal(np.load(tmp_path / "out.npy"), model.predict(inputs(), verbose=0))


def test_a_step_compiled_as_a_whole_changes_the_weights_as_its_parts_do(compiled_steps):
    ids = np.array([[2, 3, 3, 1], [4, 2, 0, 0], [1, 0, 0, 0]], "int32")
    targets = np.eye(3, dtype="float32")
    weights = []
    for jit in (False, True):
        keras.utils.set_random_seed(0)
        stack = {"cell": "gru", "units": 3, "bidirectional": True, "use_cudnn": False}
        model = TextClassifier(5, 3, 4, stack)
        adam = Adam(0.1, global_clipnorm=0.1, updates_per_epoch=2)
        model.compile(adam, "mse", jit_compile=jit)
        assert model.jit_compile is jit
        for _ in range(2):
            model.train_on_batch({"token_ids": ids}, targets)
        weights.append(model.get_weights())
    for parts, whole in zip(*weights, strict=True):
        np.testing.assert_allclose(whole, parts, atol=1e-4)
