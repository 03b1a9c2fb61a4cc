import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.classification.attribution import Attribution, split
from models.classification.classifier import TextClassifier
from models.classification.ensemble import Ensemble
from models.classification.ngrams import NgramTerms
from models.classification.wide_classifier import WideClassifier, fit_share

IDS = {
    "token_ids": np.array([[2, 3, 4, 5], [2, 4, 3, 0]], "int32"),
    "character_ids": np.array([[[2], [3], [3], [2]], [[2], [3], [3], [0]]], "int32"),
}
SIZE = 6


@pytest.fixture(scope="module")
def recurrent():
    keras.utils.set_random_seed(0)
    stack = {"cell": "simple_rnn", "units": 3}
    sizes = {"vocabulary_size": SIZE, "num_classes": 2, "character_vocabulary_size": 4}
    return TextClassifier(**sizes, embedding_dim=4, recurrent=stack, max_word_length=1)


@pytest.fixture(scope="module")
def ngrams():
    layer = NgramTerms(SIZE, 2, entries=3)
    layer.build()
    keys = [3 * SIZE**2, 3 * SIZE**2 + 4 * SIZE, 4 * SIZE**2]
    coefficients = [[1, -1], [3, -3], [-2, 2]]
    layer.set_weights([*map(np.array, (keys, coefficients, [0.1, 0.2]))])
    return layer


@pytest.fixture(scope="module")
def wide(recurrent, ngrams):
    return WideClassifier.from_models(recurrent, ngrams, 0.5)


def test_the_logits_are_the_recurrent_ones_and_the_linear_ones_share(wide, recurrent, ngrams):
    linear = tf.reduce_sum(ngrams(IDS["token_ids"]), axis=1)
    assert_allclose(wide(IDS), recurrent(IDS) + 0.5 * linear, atol=1e-6)
    assert_allclose(wide.for_export()(IDS), wide(IDS), atol=1e-6)


def test_it_is_saved_and_loaded_and_joins_an_ensemble(wide, tmp_path):
    wide.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_allclose(loaded(IDS), wide(IDS), atol=1e-6)
    assert loaded.settings == wide.settings
    both = Ensemble.from_models([wide, loaded], multi_label=False)
    both.save(tmp_path / "both.keras")
    scores = tf.nn.softmax(keras.saving.load_model(tmp_path / "both.keras")(IDS))
    assert_allclose(scores, tf.nn.softmax(wide(IDS)), atol=1e-6)


def test_an_occluded_word_takes_its_pairs_with_it(wide):
    """The drops are what the model itself says of the text with the word's id unknown."""
    found = Attribution(split(wide), multi_label=True)(IDS, [0, 1])
    for row, chosen in enumerate([0, 1]):
        for place in (1, 2, 3):
            ids = {name: array.copy() for name, array in IDS.items()}
            if ids["token_ids"][row, place] == 0:
                continue
            ids["token_ids"][row, place] = 1
            ids["character_ids"][row, place] = 1
            without = wide(ids).numpy()[row, chosen]
            expected = found["log_odds"][row] - without
            assert_allclose(found["drops"][row, place], expected, atol=1e-5)


def test_words_and_pairs_have_their_part_of_an_explanation(wide):
    found = Attribution(split(wide))({k: tf.constant(v) for k, v in IDS.items()}, [0, 0])
    logits = wide(IDS).numpy()
    assert_allclose(found["log_odds"], logits[:, 0] - logits[:, 1], atol=1e-5)
    total = found["weights"].numpy().sum(axis=1)
    assert_allclose(total, found["log_odds"] - found["baseline"], atol=1e-2)
    assert_allclose(found["weights"][:, 0], [0, 0], atol=1e-6)
    assert found["weights"][1, 3] == 0


def test_of_a_recurrent_model_that_says_nothing_an_explanation_has_the_linear_terms(
    recurrent, ngrams
):
    silent = TextClassifier.from_config(recurrent.get_config())
    silent.get_layer("logits").set_weights(
        [w * 0 for w in silent.get_layer("logits").get_weights()]
    )
    found = Attribution(split(WideClassifier.from_models(silent, ngrams, 1.0)))(
        {k: tf.constant(v) for k, v in IDS.items()}, [0, 0]
    )
    terms = ngrams(IDS["token_ids"]).numpy()
    expected = terms[..., 0] - terms[..., 1]
    expected[:, 0] = 0
    assert_allclose(found["weights"], expected, atol=1e-5)
    # Without its first word a text loses the pair as well, and what is left weighs more.
    text = IDS["token_ids"][:1].copy()
    text[0, 1] = 1
    logits = ngrams(text).numpy()[0].sum(axis=0)
    drop = found["log_odds"][0] - (logits[0] - logits[1])
    assert_allclose(found["drops"][0, 1], drop, atol=1e-5)
    assert abs(drop - expected[0, 1]) > 0.1


# --- the share ---------------------------------------------------------------


def rows(multi_label):
    """Logits of two models, and targets drawn from the sum of one and twice the other."""
    generator = np.random.default_rng(0)
    one, other = generator.normal(size=(2, 20_000, 2))
    logits = one + 2 * other
    if multi_label:
        return one, other, (generator.random(logits.shape) < 1 / (1 + np.exp(-logits))) * 1.0
    first = generator.random(len(logits)) < 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
    return one, other, np.stack([first, ~first], axis=1) * 1.0


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_share_is_the_one_that_the_targets_were_drawn_with(multi_label):
    one, other, targets = rows(multi_label)
    assert fit_share(other, one, targets, multi_label) == pytest.approx(2.0, rel=0.1)


def test_a_model_that_knows_nothing_gets_no_share_and_few_rows_overrule_little():
    one, other, targets = rows(False)
    assert fit_share(np.random.default_rng(1).normal(size=one.shape), other, targets, False) < 0.05
    few = fit_share(-targets[:2], targets[:2], targets[:2], False)
    assert 0.2 < few < 1
