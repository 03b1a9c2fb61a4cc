import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.batches.buckets import LENGTHS, max_rows, order_batches, padding_share, round_up_lengths

LENGTHS_OF_ROWS = st.lists(st.integers(1, 9), max_size=40)


@settings(deadline=None)
@given(LENGTHS_OF_ROWS, st.integers(1, 6), st.none() | st.integers(0, 9))
def test_an_epoch_has_every_row_exactly_once(lengths, batch_size, seed):
    generator = None if seed is None else np.random.default_rng(seed)
    order = order_batches(np.array(lengths, int), batch_size, generator)
    assert sorted(int(row) for rows in order for row in rows) == list(range(len(lengths)))
    sizes = sorted(map(len, order), reverse=True)
    assert len(order) == -(-len(lengths) // batch_size)
    assert all(size == batch_size for size in sizes[:-1])


@settings(deadline=None)
@given(LENGTHS_OF_ROWS, st.integers(1, 60), st.none() | st.integers(0, 9))
def test_a_token_budget_is_kept_and_every_row_is_there_once(lengths, budget, seed):
    generator = None if seed is None else np.random.default_rng(seed)
    lengths = np.array(lengths, int)
    order = order_batches(lengths, 4, generator, budget)
    assert sorted(int(row) for rows in order for row in rows) == list(range(len(lengths)))
    for rows in order:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget
        assert len(rows) <= 8 or len(rows) % 8 == 0


@pytest.mark.parametrize(("batch_size", "batch_tokens"), [(64, 0), (0, 4096)])
def test_texts_of_very_different_lengths_are_hardly_padded(batch_size, batch_tokens):
    generator = np.random.default_rng(0)
    lengths = np.maximum(1, generator.lognormal(3.0, 0.4, size=20_000)).astype(int)
    order = order_batches(lengths, batch_size, generator, batch_tokens)
    positions = sum(len(rows) * lengths[rows].max() for rows in order)
    assert 1 - lengths.sum() / positions < 0.05


def test_rows_of_like_length_share_batches():
    lengths = np.random.default_rng(0).integers(1, 100, size=1000)
    order = order_batches(lengths, 10, np.random.default_rng(0))
    spread = [np.ptp(lengths[rows]) for rows in order]
    # Unsorted batches of ten spread over about 80 of the 99 lengths.
    assert np.mean(spread) < 5


def test_second_lengths_go_up_and_down_by_turns():
    lengths = np.array([3, 3, 3, 4, 4, 4, 5, 5, 5])
    others = np.array([1, 2, 9, 2, 9, 1, 9, 1, 2])
    (order,) = order_batches(lengths, 9, others=others)
    assert lengths[order].tolist() == [3, 3, 3, 4, 4, 4, 5, 5, 5]
    # A batch that ends in one length and goes on in the next meets like second lengths there.
    assert others[order].tolist() == [1, 2, 9, 9, 2, 1, 1, 2, 9]


def test_batches_of_one_length_are_not_always_the_same_rows():
    lengths = np.full(20, 3)
    generator = np.random.default_rng(0)
    one, other = (order_batches(lengths, 5, generator) for _ in range(2))
    assert {frozenset(rows) for rows in one} != {frozenset(rows) for rows in other}


def test_the_share_is_that_of_the_positions():
    lengths = np.array([1, 4, 2, 2])
    # Two rows of four positions, then two of two.
    assert padding_share(lengths, [np.array([0, 1]), np.array([2, 3])]) == 1 - 9 / 12


def test_there_are_few_lengths_and_none_adds_more_than_an_eighth():
    assert LENGTHS[:10].tolist() == [8, 16, 24, 32, 40, 48, 56, 64, 72, 80]
    lengths = np.arange(64, 5000)
    assert (round_up_lengths(lengths) >= lengths).all()
    assert (round_up_lengths(lengths) / lengths).max() <= 1.125
    assert round_up_lengths(np.array([1, 8, 9])).tolist() == [8, 8, 16]


@settings(deadline=None)
@given(LENGTHS_OF_ROWS, st.integers(1, 6), st.sampled_from([0, 8, 100, 400]))
def test_no_batch_has_more_rows_than_its_shape(lengths, batch_size, batch_tokens):
    widths = round_up_lengths(np.array(lengths, int) * 7)
    order = order_batches(widths, batch_size, np.random.default_rng(0), batch_tokens)
    for rows in order:
        assert len(rows) <= max_rows(int(widths[rows].max()), batch_size, batch_tokens)
