import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from data.text.special_tokens import END, PADDING, START, UNKNOWN
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.search import TranslationSearch

SOURCES = np.array([[4, 5, 6, 4, 3], [5, 3, 0, 0, 0]], np.int32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    made = Translator(7, 7, 4, {"cell": "gru", "units": 3, "bidirectional": True})
    generator = np.random.default_rng(3)
    made.set_weights([w + generator.normal(0, 0.7, w.shape) for w in made.get_weights()])
    return made


@functools.cache
def search_graph(model, inputs, **options):
    """The graph of a search, for sources of any shape and some options as tensors."""

    def search(sources, *values):
        search = TranslationSearch(**options, **dict(zip(inputs, values, strict=True)))
        return search(model, sources)

    scalars = [tf.TensorSpec([], tf.int32)] * len(inputs)
    signature = [tf.TensorSpec([None, None], tf.int32), *scalars]
    return tf.function(search, input_signature=signature, autograph=False)


def searched(model, sources=SOURCES, min_length=None, max_length=None, ngram=None, **options):
    given = {"min_length": min_length, "max_length": max_length, "no_repeat_ngram": ngram}
    given = {name: tf.constant(value) for name, value in given.items() if value is not None}
    ids, scores = search_graph(model, (*given,), **options)(tf.constant(sources), *given.values())
    return ids.numpy(), scores.numpy()


def score_by_hand(model, source, ids, alpha, beta):
    """What Wu et al. (2016), equation 14, give a finished translation."""
    length = int(np.count_nonzero(ids))
    inputs = {"token_ids": source[None], "target_ids": np.array([[START, *ids[: length - 1]]])}
    logits = model(inputs).numpy()[0]
    logits[:, [PADDING, START]] = -1e9
    logs = tf.nn.log_softmax(logits).numpy()[np.arange(length), ids[:length]]
    # At the limit the end is all that is left.
    logs = logs[: 2 * (np.count_nonzero(source) - 1) + 10].sum()
    coverage = model.attention_weights(**inputs).numpy()[0].sum(axis=0)[source > 0]
    return logs / ((5 + length) / 6) ** alpha + beta * np.log(np.minimum(coverage, 1.0)).sum()


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.8, 0.3)])
def test_the_scores_of_a_beam_are_those_of_its_translations(model, alpha, beta):
    options = {"length_penalty": alpha, "coverage_penalty": beta, "beam_width": 3, "n_best": 3}
    found, scores = searched(model, **options)
    assert found.shape[:2] == scores.shape == (2, 3)
    assert (np.diff(scores) <= 0).all()
    for source, some, values in zip(SOURCES, found, scores, strict=True):
        for ids, value in zip(some, values, strict=True):
            assert END in ids
            assert_allclose(value, score_by_hand(model, source, ids, alpha, beta), atol=2e-4)


def test_greedy_takes_the_most_probable_token_each_time(model):
    (ids, _), (scores_ids, _) = searched(model), searched(model, temperature=1e-4)
    assert_array_equal(ids, scores_ids)
    length = int(np.count_nonzero(ids[0, 0]))
    inputs = {"token_ids": SOURCES[:1], "target_ids": np.array([[START, *ids[0, 0, : length - 1]]])}
    logits = model(inputs).numpy()[0]
    logits[:, [PADDING, START]] = -1e9
    free = min(length, 2 * 4 + 10)
    assert_array_equal(logits.argmax(axis=-1)[:free], ids[0, 0, :free])


@pytest.mark.parametrize("beam_width", [1, 3])
def test_a_text_is_translated_alike_alone_and_beside_longer_ones(model, beam_width):
    together, scores = searched(model, beam_width=beam_width)
    alone, score = searched(model, SOURCES[1:, :2], beam_width=beam_width)
    width = alone.shape[-1]
    assert_array_equal(together[1, :, :width], alone[0])
    assert not together[1, :, width:].any()
    assert_allclose(scores[1], score[0], atol=1e-5)


def test_samples_follow_their_seed(model):
    first, again, other = (searched(model, temperature=1.0, seed=seed)[0] for seed in (1, 1, 2))
    assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()


def test_no_translation_is_longer_than_allowed(model):
    ids, _ = searched(model, beam_width=2, max_length=3)
    assert np.count_nonzero(ids, axis=-1).max() <= 4


@pytest.mark.parametrize("beam_width", [1, 3])
def test_an_answer_has_as_many_tokens_as_it_should(model, beam_width):
    ids, scores = searched(model, beam_width=beam_width, min_length=6, max_length=8)
    # END is one more.
    lengths = np.count_nonzero(ids[:, 0], axis=-1) - 1
    assert ((lengths >= 6) & (lengths <= 8)).all() and np.isfinite(scores).all()
    ids, scores = searched(model, beam_width=beam_width, min_length=9, max_length=2)
    assert_array_equal(np.count_nonzero(ids[:, 0], axis=-1) - 1, [2, 2])


@pytest.mark.parametrize("beam_width", [1, 3])
def test_a_blocked_n_gram_occurs_once(model, beam_width):
    def repeated(ngram):
        lengths = {"min_length": 9, "max_length": 12}
        ids, _ = searched(model, beam_width=beam_width, ngram=ngram, **lengths)
        found = [[*zip(row, row[1:], row[2:], strict=False)] for row in ids[:, 0, :9].tolist()]
        return [len(row) - len({*row}) for row in found]

    assert repeated(0) == [6, 6]
    assert repeated(3) == [0, 0]


def test_a_banned_token_is_never_chosen(model):
    assert UNKNOWN in searched(model, beam_width=2)[0]
    ids, _ = searched(model, beam_width=2, banned_ids=(PADDING, START, UNKNOWN))
    assert UNKNOWN not in ids and ids.any()
