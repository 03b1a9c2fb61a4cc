import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.classification import attribution
from models.classification.attribution import Attribution, Parts, log_odds, split
from models.classification.classifier import TextClassifier
from models.layers.pooling import MaskedMean

# Padding, unknown, start, and two words.
VECTORS = np.array([[0, 0], [1, 0], [5, 5], [3, 0], [0, 2]], "float32")
TEXT = {"token_ids": tf.constant([[2, 3, 4, 0]])}


def linear(multi_label=False, temperature=1.0):
    """The mean of the vectors, of which each class has one number, the first one more by 0.5."""
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding = keras.layers.Embedding(5, 2, mask_zero=True)
    front_end = keras.Model({"token_ids": ids}, [embedding(ids), embedding.compute_mask(ids)])
    embedding.set_weights([VECTORS])
    features, mask = keras.Input((None, 2)), keras.Input((None,), dtype="bool")
    dense = keras.layers.Dense(2)
    back_end = keras.Model([features, mask], dense(MaskedMean()(features, mask=mask)))
    dense.set_weights([np.eye(2, dtype="float32"), np.array([0.5, 0], "float32")])
    return Attribution(Parts(front_end, back_end), multi_label, temperature)


def test_a_linear_model_is_explained_as_by_hand():
    found = linear()(TEXT, [0])
    # Of two classes the log-odds are the difference of the logits, means over three tokens.
    assert_allclose(found["log_odds"], [8 / 3 - 7 / 3 + 0.5], rtol=1e-5)
    assert_allclose(found["baseline"], [7 / 3 - 5 / 3 + 0.5], rtol=1e-5)
    expected = [[0, (3 - 1) / 3, (0 - 1) / 3 - 2 / 3, 0]]
    assert_allclose(found["weights"], expected, atol=1e-5)
    assert_allclose(found["drops"], expected, atol=1e-5)


def test_the_integral_of_a_quadratic_is_exact():
    # The midpoints of a straight gradient are right, the left ends are not.
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding = keras.layers.Embedding(5, 2, mask_zero=True)
    front_end = keras.Model({"token_ids": ids}, [embedding(ids), embedding.compute_mask(ids)])
    embedding.set_weights([VECTORS])
    features, mask = keras.Input((None, 2)), keras.Input((None,), dtype="bool")
    squares = keras.ops.sum(keras.ops.square(features), axis=1) / 10
    explain = Attribution(Parts(front_end, keras.Model([features, mask], squares)), True)
    found = explain(TEXT, [0])
    # (3 ** 2 - 1 ** 2) / 10 and (0 - 1) / 10, of the first feature.
    assert_allclose(found["weights"], [[0, 0.8, -0.1, 0]], rtol=1e-5, atol=1e-6)


def test_what_speaks_for_one_of_two_classes_speaks_against_the_other():
    both = linear()({"token_ids": tf.repeat(TEXT["token_ids"], 2, axis=0)}, [0, 1])
    assert_allclose(both["weights"][1], -both["weights"][0], atol=1e-5)
    assert_allclose(both["baseline"][1], -both["baseline"][0], rtol=1e-5)


def test_of_several_labels_each_has_its_own_log_odds():
    found = linear(multi_label=True)(TEXT, [1])
    assert_allclose(found["log_odds"], [7 / 3], rtol=1e-5)
    assert_allclose(found["weights"], [[0, 0, 2 / 3, 0]], atol=1e-5)


def test_the_temperature_divides_the_log_odds():
    cool, warm = linear()(TEXT, [0]), linear(temperature=2.0)(TEXT, [0])
    for name in cool:
        assert_allclose(warm[name], cool[name] / 2, atol=1e-5)


def test_log_odds_are_those_of_the_softmax_and_stay_finite():
    logits = np.array([[1.0, -2.0, 0.5], [200.0, 0.0, 0.0]], "float32")
    shares = np.exp(logits[0]) / np.exp(logits[0]).sum()
    expected = [np.log(shares[1] / (1 - shares[1])), 200 - np.log(2)]
    assert_allclose(log_odds(logits, tf.constant([1, 0])), expected, rtol=1e-5)
    assert_allclose(log_odds(logits, tf.constant([1, 0]), multi_label=True), [-2.0, 200.0])


# --- a recurrent classifier --------------------------------------------------

WORDS = np.array([[2, 3, 4, 5, 1, 6, 3, 4], [2, 4, 3, 6, 0, 0, 0, 0]], "int32")


def inputs(padding=0):
    letters = np.random.default_rng(0).integers(1, 6, (*WORDS.shape, 3)) * (WORDS > 0)[..., None]
    letters[..., 2] *= np.arange(8) % 2
    ids = {"token_ids": WORDS, "character_ids": letters.astype("int32")}
    return {
        name: np.pad(each, [(0, 0), (0, padding), (0, 0)][: each.ndim])
        for name, each in ids.items()
    }


@pytest.fixture(scope="module")
def model():
    """A classifier whose weights are as large as training makes them."""
    keras.utils.set_random_seed(1)
    model = TextClassifier(
        vocabulary_size=7,
        num_classes=3,
        embedding_dim=4,
        recurrent={"cell": "gru", "units": 5, "bidirectional": True, "use_cudnn": False},
        pooling=("max", "attention"),
        dropout=0.5,
        character_vocabulary_size=6,
        max_word_length=3,
        word_dropout=0.2,
    )
    embedding = model.get_layer("embedding").embeddings
    embedding.assign(20 * embedding)
    model.get_layer("logits").kernel.assign(3 * model.get_layer("logits").kernel)
    return model


@pytest.fixture(scope="module")
def explain(model):
    attribution = Attribution(split(model))

    def call(ids, classes):
        return {name: found.numpy() for name, found in attribution(ids, classes).items()}

    call.attribution = attribution
    return call


def test_both_parts_of_a_classifier_make_the_whole(model):
    front_end, back_end, _ = split(model)
    features, mask = map(tf.identity, front_end(inputs()))
    assert_allclose(back_end([features, mask]), model(inputs()), atol=1e-6)


def test_the_weights_sum_to_the_difference_from_unknown_words(explain):
    found = explain(inputs(), [0, 2])
    difference = found["log_odds"] - found["baseline"]
    assert np.abs(difference).min() > 0.3
    assert_allclose(found["weights"].sum(axis=1), difference, rtol=0.01)


def test_the_log_odds_are_those_of_the_model(model, explain):
    found = explain(inputs(), [0, 2])
    shares = tf.nn.softmax(model(inputs())).numpy()[[0, 1], [0, 2]]
    assert_allclose(found["log_odds"], np.log(shares / (1 - shares)), atol=1e-4)
    unknown = inputs()
    for each in unknown.values():
        each[:, 1:] = each[:, 1:] > 0
    shares = tf.nn.softmax(model(unknown)).numpy()[[0, 1], [0, 2]]
    assert_allclose(found["baseline"], np.log(shares / (1 - shares)), atol=1e-4)


def test_a_drop_is_what_the_model_says_without_the_word(model, explain):
    without = inputs()
    for each in without.values():
        each[0, 3] = each[0, 3] > 0
    figure = log_odds(model(without), tf.constant([0, 2])).numpy()[0]
    found = explain(inputs(), [0, 2])
    assert_allclose(found["drops"][0, 3], found["log_odds"][0] - figure, atol=1e-4)
    assert abs(found["drops"][0, 3]) > 1e-3


def test_the_start_and_the_padding_add_nothing(explain):
    found = explain(inputs(), [0, 2])
    for name in ("weights", "drops"):
        assert_allclose(found[name][:, 0], 0, atol=1e-5)
        assert_allclose(found[name][1, 4:], 0, atol=1e-5)
        assert np.abs(found[name][1, 1:4]).min() > 1e-4


def test_padding_and_the_other_texts_change_nothing(explain):
    found = explain(inputs(), [0, 2])
    padded = explain(inputs(padding=5), [0, 2])
    alone = explain({name: each[1:, :4] for name, each in inputs().items()}, [2])
    for name in ("weights", "drops"):
        assert_allclose(padded[name][:, :8], found[name], atol=1e-4)
        assert_allclose(alone[name][0], found[name][1, :4], atol=1e-4)


def test_few_points_at_once_give_the_same(explain, monkeypatch):
    found = explain(inputs(), [0, 2])
    monkeypatch.setattr(attribution, "TOKENS", 40)
    few = explain(inputs(), [0, 2])
    for name in found:
        assert_allclose(few[name], found[name], atol=1e-4)


def test_texts_of_other_lengths_and_batches_trace_nothing_anew(explain):
    for length in (2, 3, 4):
        explain({name: each[:1, :length] for name, each in inputs().items()}, [1])
    explain(inputs(), [0, 1])
    assert explain.attribution._explain.experimental_get_tracing_count() == 1


def test_a_text_without_words_has_nothing_to_explain(explain):
    found = explain({name: each[:1, :1] for name, each in inputs().items()}, [0])
    assert_allclose(found["log_odds"], found["baseline"], atol=1e-6)
    assert found["weights"].shape == found["drops"].shape == (1, 1)
