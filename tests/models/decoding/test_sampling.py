from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from models.decoding.sampling import Sampling, greedy, uniform_streams

# Probabilities in no order: 0.1, 0.4, 0.05, 0.25, 0.2.
LOGITS = tf.math.log([[0.1, 0.4, 0.05, 0.25, 0.2]])


def truncated(logits, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0):
    """The distribution of `Sampling`, one row, step by step."""
    shares = np.exp(np.float64(logits) / temperature)
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    if top_k:
        shares[order[top_k:]] = 0
        shares /= shares.sum()
    before = np.cumsum(shares[order]) - shares[order]
    shares[order[before >= top_p]] = 0
    shares /= shares.sum()
    shares[shares < min_p * shares.max()] = 0
    return shares / shares.sum()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.1, 0.4, 0.05, 0.25, 0.2]),
        ({"temperature": 0.5}, [0.01, 0.16, 0.0025, 0.0625, 0.04]),
        ({"temperature": 0.0}, [0, 1, 0, 0, 0]),
        ({"top_k": 2}, [0, 0.4, 0, 0.25, 0]),
        ({"top_k": 9}, [0.1, 0.4, 0.05, 0.25, 0.2]),
        ({"top_p": 0.6}, [0, 0.4, 0, 0.25, 0]),
        ({"top_p": 0.66}, [0, 0.4, 0, 0.25, 0.2]),
        # What comes before the second one is all that was asked for.
        ({"top_p": 0.4}, [0, 1, 0, 0, 0]),
        ({"top_p": 0.0}, [0, 1, 0, 0, 0]),
        ({"min_p": 0.45}, [0, 0.4, 0, 0.25, 0.2]),
        ({"min_p": 1.0}, [0, 1, 0, 0, 0]),
        # Of what three of them leave, 0.4 and 0.25 of 0.85 are 0.76.
        ({"top_k": 3, "top_p": 0.76}, [0, 0.4, 0, 0.25, 0]),
        ({"top_p": 0.94, "min_p": 0.3}, [0, 0.4, 0, 0.25, 0.2]),
    ],
)
@pytest.mark.parametrize("as_tensors", [False, True])
def test_the_distribution_by_hand(options, expected, as_tensors):
    if as_tensors:
        options = {name: tf.constant(value) for name, value in options.items()}
    found = Sampling(**options).probabilities(LOGITS)[0]
    np.testing.assert_allclose(found, np.divide(expected, sum(expected)), atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.7},
        {"temperature": 1.6, "top_k": 9},
        {"top_p": 0.8},
        {"min_p": 0.2},
        {"temperature": 1.3, "top_k": 20, "top_p": 0.9, "min_p": 0.05},
    ],
    ids=str,
)
def test_samples_are_as_frequent_as_they_are_probable(options):
    rows = 20_000
    logits = np.random.default_rng(5).normal(0, 2, 30).astype(np.float32)
    expected = truncated(logits, **options)
    numbers = tf.random.stateless_uniform([rows], [3, 4])
    drawn = Sampling(**options)(tf.tile(logits[None], [rows, 1]), numbers).numpy()
    counts = np.bincount(drawn, minlength=30)
    assert not counts[expected == 0].any()
    kept = expected > 0
    assert chisquare(counts[kept], rows * expected[kept]).pvalue > 0.01


@pytest.mark.parametrize("top_p", [0.3, 0.7, 0.9, 0.999])
@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_a_nucleus_of_a_large_vocabulary_is_that_of_sorting_it(top_p, spread):
    logits = np.random.default_rng(6).normal(0, spread, (3, 900)).astype(np.float32)
    found = Sampling(top_p=top_p).probabilities(tf.constant(logits)).numpy()
    for row, shares in zip(logits, found, strict=True):
        expected = truncated(row, top_p=top_p)
        # Rounding decides about the last one.
        assert abs(np.count_nonzero(shares) - np.count_nonzero(expected)) <= 1
        np.testing.assert_allclose(shares, expected, atol=1.5 * expected[expected > 0].min())


def test_the_nucleus_ends_where_the_share_is_reached_exactly():
    # Powers of two are exact in every sum.
    found = Sampling(top_p=0.5).probabilities(tf.math.log([[0.5, 0.25, 0.25]]))
    assert found.numpy().tolist() == [[1, 0, 0]]


def test_a_row_is_not_cut_because_the_nucleus_of_its_neighbour_is_small():
    spreads = np.array([[5.0], [0.1]])
    logits = (np.random.default_rng(6).normal(0, 1, (2, 900)) * spreads).astype(np.float32)
    found = Sampling(top_p=0.9).probabilities(tf.constant(logits)).numpy()
    sizes = np.count_nonzero(found, axis=1)
    # The first fits into what is ordered at first, the second does not.
    assert sizes[0] < 256 < sizes[1]
    for row, shares in zip(logits, found, strict=True):
        expected = truncated(row, top_p=0.9)
        assert abs(np.count_nonzero(shares) - np.count_nonzero(expected)) <= 1


def test_a_number_that_is_reached_exactly_draws_the_next_one():
    logits = tf.math.log([[0.5, 0.5]])
    assert Sampling()(logits, tf.constant([0.5])).numpy().tolist() == [1]


def test_streams_are_uniform_and_independent_of_each_other():
    numbers = uniform_streams(7, 100, 200).numpy()
    assert numbers.shape == (200, 100)
    assert numbers.min() >= 0 and numbers.max() < 1
    assert chisquare(np.histogram(numbers, 20, (0, 1))[0]).pvalue > 0.01
    pairs = [(a, b) for each in (numbers, numbers.T) for a, b in pairwise(each)]
    close = np.mean([abs(np.corrcoef(a, b)[0, 1]) for a, b in pairs])
    assert close < 0.1


def test_a_stream_depends_on_nothing_but_its_seed():
    all_rows = uniform_streams([7, 1], 5, 40).numpy()
    np.testing.assert_array_equal(uniform_streams([7, 1], 3, 40), all_rows[:, :3])
    np.testing.assert_array_equal(uniform_streams([7, 1], 5, 9), all_rows[:9])
    assert not np.isin(uniform_streams([8, 1], 5, 40), all_rows).any()
    seeds = [[1, 2], [3, 4]]
    both = uniform_streams(seeds, 2, 6)
    np.testing.assert_array_equal(uniform_streams(seeds[1:], 1, 6)[:, 0], both[:, 1])


def test_the_extreme_numbers_draw_the_first_and_the_last_that_are_probable():
    logits = tf.math.log([[0.0, 0.3, 0.7, 0.0]])
    draw = Sampling()
    assert draw(logits, tf.constant([0.0])).numpy().tolist() == [1]
    assert draw(logits, tf.constant([np.nextafter(1, 0, dtype=np.float32)])).numpy().tolist() == [2]


def test_greedy_takes_the_first_of_equals():
    assert greedy(tf.constant([[1.0, 3, 3], [2, 1, 0]])).numpy().tolist() == [1, 0]


def test_a_graph_takes_every_parameter_as_an_input():
    scalar = tf.TensorSpec([], tf.float32)

    @tf.function(
        input_signature=[scalar, tf.TensorSpec([], tf.int32), scalar, scalar], autograph=False
    )
    def distribution(*parameters):
        return Sampling(*parameters).probabilities(LOGITS)

    for parameters in [(1.0, 0, 1.0, 0.0), (0.5, 3, 0.8, 0.1), (2.0, 0, 0.7, 0.0)]:
        found = distribution(*parameters)[0]
        np.testing.assert_allclose(found, truncated(LOGITS[0], *parameters), atol=1e-6)
    assert distribution(0.0, 0, 1.0, 0.0).numpy().tolist() == [[0, 1, 0, 0, 0]]
    assert distribution.experimental_get_tracing_count() == 1
