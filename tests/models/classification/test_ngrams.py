import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.classification.ngram_regression import fit_ngrams
from models.classification.ngrams import NgramTerms, ngram_keys

START, BAD, FILM, GOOD, NOT = 2, 3, 4, 5, 6
SIZE = 7
TEXTS = [
    [START, GOOD, FILM],
    [START, BAD, FILM],
    [START, NOT, GOOD, FILM],
    [START, NOT, BAD, FILM, FILM],
    [START, GOOD, GOOD],
    [START],
]
TARGETS = np.eye(2, dtype="float32")[[1, 0, 0, 1, 1, 0]]
MANY = np.eye(3, dtype="float32")[[1, 0, 0, 1, 1, 0]] + np.array([0, 0, 1], "float32")


def fit(targets=TARGETS, multi_label=False, weights=None):
    weights = weights or [1.0] * targets.shape[1]
    return fit_ngrams(tf.ragged.constant(TEXTS, tf.int32), targets, multi_label, SIZE, weights)


def number(*words):
    """The key of an n-gram."""
    return sum(word * SIZE**power for word, power in zip(words, (2, 1, 0), strict=False))


def by_hand():
    """Knows `good`, `not` and `not good`."""
    layer = NgramTerms(SIZE, 2, entries=3)
    layer.build()
    keys = [number(GOOD), number(NOT), number(NOT, GOOD)]
    coefficients = [[0, 1], [1, 0], [2, -2]]
    layer.set_weights([*map(np.array, (keys, coefficients, [0.5, -0.5]))])
    return layer


def test_sequences_of_words_have_numbers_of_their_own_and_other_tokens_none():
    words, pairs, triples = ngram_keys(np.array([[START, BAD, 1, GOOD, NOT, FILM, 0]]), SIZE)
    assert_array_equal(words, [[0, number(BAD), 0, *map(number, (GOOD, NOT, FILM)), 0]])
    assert_array_equal(pairs, [[0, 0, 0, number(GOOD, NOT), number(NOT, FILM), 0, 0]])
    assert_array_equal(triples, [[0, 0, 0, number(GOOD, NOT, FILM), 0, 0, 0]])


def test_terms_are_coefficients_by_the_root_of_the_number_and_a_pair_is_halved():
    terms = by_hand()(np.array([[START, NOT, GOOD, FILM]]))
    pair = np.array([2, -2]) / 2
    expected = np.array([np.array([1, 0]) + pair, np.array([0, 1]) + pair]) / np.sqrt(3)
    assert_allclose(terms, [[[0.5, -0.5], *expected, [0, 0]]], rtol=1e-6)


def test_a_third_of_three_words_is_at_each():
    layer = NgramTerms(SIZE, 1, entries=1)
    layer.build()
    layer.set_weights([np.array([number(NOT, GOOD, FILM)]), np.array([[6.0]]), np.zeros(1)])
    terms = layer(np.array([[START, NOT, GOOD, FILM, GOOD]]))
    assert_allclose(terms[..., 0], [[0, 2, 2, 2, 0]], rtol=1e-6)


def test_an_n_gram_counts_once_where_it_stands_first():
    once, twice = (by_hand()(np.array([row])) for row in ([2, NOT, GOOD], [2, NOT, GOOD, GOOD]))
    assert_allclose(twice[:, :3], once, rtol=1e-6)
    assert_allclose(twice[:, 3], [[0, 0]])


def test_padding_changes_no_term():
    rows = np.array([[START, NOT, GOOD]])
    padded = by_hand()(np.pad(rows, [(0, 0), (0, 3)]))
    assert_allclose(padded[:, :3], by_hand()(rows), rtol=1e-6)
    assert_allclose(padded[:, 3:], np.zeros((1, 3, 2)))


def test_a_text_without_a_known_word_has_the_bias_alone():
    terms = by_hand()(np.array([[START, 1, BAD]]))
    assert_allclose(tf.reduce_sum(terms, axis=1), [[0.5, -0.5]])


def test_a_vocabulary_of_hundreds_of_thousands_has_a_number_for_each_triple():
    *_, triples = ngram_keys(np.array([[399_999, 399_998, 399_997]], "int32"), 400_000)
    assert int(triples[0, 0]) == (399_999 * 400_000 + 399_998) * 400_000 + 399_997


# --- the fit -----------------------------------------------------------------


def test_the_layer_says_what_naive_bayes_and_scikit_learn_do():
    """The same regression on the texts as words, by scikit-learn's own n-grams."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    words = {BAD: "bad", FILM: "film", GOOD: "good", NOT: "not"}
    texts = [" ".join(words[token] for token in row[1:]) for row in TEXTS]
    present = CountVectorizer(ngram_range=(1, 3), binary=True).fit_transform(texts).toarray()
    good, bad = ((present[TARGETS[:, 1] == each].sum(axis=0) + 1.0) for each in (1, 0))
    ratios = np.log(good / good.sum()) - np.log(bad / bad.sum())
    values = present * ratios / np.sqrt(np.maximum(present.sum(axis=1, keepdims=True), 1))
    model = LogisticRegression(C=10.0, max_iter=1000).fit(values, TARGETS[:, 1])
    terms = fit()(tf.ragged.constant(TEXTS, tf.int32).to_tensor())
    logits = tf.reduce_sum(terms, axis=1).numpy()
    assert_allclose(logits[:, 1] - logits[:, 0], model.decision_function(values), atol=1e-3)


def test_each_label_of_several_has_a_model_and_one_that_all_have_is_near_certain():
    terms = fit(MANY, multi_label=True)(tf.ragged.constant(TEXTS, tf.int32).to_tensor())
    logits = tf.reduce_sum(terms, axis=1).numpy()
    assert_array_equal(logits[:5, :2] > 0, MANY[:5, :2] > 0)
    assert_allclose(logits[:, 2], np.log(7), rtol=1e-5)


@pytest.mark.parametrize("given", [[0, 0, 0, 0, 0, 0], [2, 0, 0, 2, 2, 0]])
def test_a_class_without_a_text_is_improbable_whatever_the_text(given):
    terms = fit(np.eye(3, dtype="float32")[given])(tf.ragged.constant(TEXTS, tf.int32).to_tensor())
    scores = tf.nn.softmax(tf.reduce_sum(terms, axis=1)).numpy()
    assert_array_equal(scores.argmax(axis=1)[:5], given[:5])
    assert scores[:, 1].max() < 0.2


def test_a_heavier_class_is_more_probable():
    even, heavy = (fit(weights=weights).bias.numpy() for weights in ([1, 1], [1, 3]))
    assert heavy[1] - heavy[0] > even[1] - even[0]


def test_of_many_texts_an_n_gram_must_be_in_two():
    rows = [[START, GOOD, FILM], [START, BAD, FILM]] * 250 + [[START, NOT, BAD]]
    targets = np.eye(2, dtype="float32")[[1, 0] * 250 + [1]]
    layer = fit_ngrams(tf.ragged.constant(rows, tf.int32), targets, False, SIZE, [1.0, 1.0])
    keys = {*map(number, (BAD, FILM, GOOD)), number(GOOD, FILM), number(BAD, FILM)}
    assert set(layer.keys.numpy()) == keys


def test_of_texts_without_words_there_is_no_model():
    empty = tf.ragged.constant([[START], [START, 1]], tf.int32)
    assert fit_ngrams(empty, TARGETS[:2], False, SIZE, [1.0, 1.0]) is None


def test_the_layer_is_saved_and_loaded(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, by_hand()(ids))
    model.save(tmp_path / "model.keras")
    rows = np.array([[START, NOT, GOOD, FILM]])
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_allclose(loaded(rows), model(rows))
