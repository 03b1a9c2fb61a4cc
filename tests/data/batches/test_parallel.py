import numpy as np
import pytest
import tensorflow as tf

from data.batches.parallel import ParallelBatches, RedrawnBatches
from data.text.special_tokens import END, START


def ragged(lengths):
    """Rows of so many tokens; the first of each is 10 and its number."""
    return tf.ragged.constant(
        [[10 + row] * length for row, length in enumerate(lengths)], tf.int32, 1
    )


def test_a_batch_has_the_source_with_its_end_and_the_target_twice():
    batches = ParallelBatches(ragged([2, 0]), ragged([1, 3]), 2)
    ((ids, targets),) = list(batches.dataset())
    assert ids["token_ids"].numpy().tolist() == [[10, 10, END], [END, 0, 0]]
    assert ids["target_ids"].numpy().tolist() == [[START, 10, 0, 0], [START, 11, 11, 11]]
    assert targets.numpy().tolist() == [[10, END, 0, 0], [11, 11, 11, END]]
    # 3 + 1 and 2 + 4 of 2 * (3 + 4) positions.
    assert batches.padding_share() == pytest.approx(4 / 14)


@pytest.mark.parametrize("options", [{}, {"batch_tokens": 200}, {"fixed_shapes": True}])
def test_every_row_is_in_one_batch_and_little_is_padding(options):
    generator = np.random.default_rng(0)
    lengths = generator.integers(2, 30, 1000)
    others = lengths + generator.integers(0, 8, 1000)
    batches = ParallelBatches(ragged(lengths), ragged(others), 16, shuffle_seed=1, **options)
    order = batches.order(0)
    assert sorted(np.concatenate(order)) == list(range(1000))
    assert [*map(list, order)] != [*map(list, batches.order(1))]
    assert batches.padding_share() < (0.35 if "fixed_shapes" in options else 0.16)
    for (ids, targets, *_), rows in zip(batches.dataset(0), order, strict=True):
        assert ids["target_ids"].shape == targets.shape
        first = ids["token_ids"].numpy()[: len(rows), 0]
        assert first.tolist() == (10 + rows).tolist()


def test_an_epoch_can_begin_in_its_middle():
    batches = ParallelBatches(ragged([1, 2, 3, 4] * 4), ragged([4, 3, 2, 1] * 4), 4, shuffle_seed=0)
    whole = [targets.numpy().tolist() for _, targets in batches.dataset(2)]
    assert [targets.numpy().tolist() for _, targets in batches.dataset(2, 1)] == whole[1:]


def test_pairs_that_are_redrawn_have_the_tokens_of_their_epoch():
    drawn = []

    def draw(epoch):
        drawn.append(epoch)
        return ragged([1 + epoch] * 6), ragged([2 + epoch, 1 + epoch] * 3)

    batches = RedrawnBatches(draw, 2, 0, 5)
    for epoch in (0, 1, 3):
        usual = ParallelBatches(*draw(epoch), 2, 0, 5)
        assert batches.steps(epoch) == 3
        assert batches.padding_share(epoch) == usual.padding_share(epoch)
        for (ids, targets), (own, others) in zip(
            batches.dataset(epoch, 1), usual.dataset(epoch, 1), strict=True
        ):
            assert ids["token_ids"].numpy().tolist() == own["token_ids"].numpy().tolist()
            assert targets.numpy().tolist() == others.numpy().tolist()
    # Once an epoch; the other draws are those of this test.
    assert drawn == [0, 0, 1, 1, 3, 3]
