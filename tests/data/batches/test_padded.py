import itertools

import numpy as np
import pytest
import tensorflow as tf

from data.batches.padded import Batches, describe_cut
from data.graphs import in_chunks
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import Vocabularies

TOY = TextPreprocessor(Vocabularies(["<start>", "a", "b"], ["a", "b"]), "tweet", 9, 2)
# Row i has i % 5 words, and its number as target.
TEXTS = ["a b a b"[: 2 * (i % 5)] for i in range(23)]
TARGETS = np.arange(23, dtype=np.float32)[:, np.newaxis]


def toy(**options):
    return Batches(in_chunks(TOY.ragged)(TEXTS), TARGETS, 4, **options)


def dataset(epoch=0, **options):
    return toy(**options).dataset(epoch)


def epoch(data):
    """The targets of one pass, batch by batch."""
    return [targets.numpy()[:, 0].tolist() for _, targets in data]


@pytest.mark.parametrize("rows", [1, 23, 1024, 1025])
def test_vectorizing_equals_calling_the_preprocessor(rows):
    texts = (TEXTS * 50)[:rows]
    ids = in_chunks(TOY.ragged)(texts)
    called = TOY(tf.constant(texts))
    assert ids.keys() == called.keys() == {"token_ids", "character_ids"}
    for name in ids:
        np.testing.assert_array_equal(ids[name].to_tensor(), called[name])


def test_what_is_cut_is_told_over_all_chunks():
    texts = ["a " * 12] * 1030 + ["a"]
    assert describe_cut(TOY, texts) == (
        "truncated texts: 1,030 of 1,031 are longer than 9 tokens; 25.0% of all tokens are not read"
    )
    assert describe_cut(TOY, []) == ""


def test_vectorizing_no_texts_has_no_rows():
    assert in_chunks(TOY.ragged)([])["token_ids"].nrows() == 0


@pytest.mark.parametrize("shuffle_seed", [None, 3])
def test_one_epoch_has_every_row_once_with_its_own_ids_and_target(shuffle_seed):
    seen = []
    for ids, targets in dataset(shuffle_seed=shuffle_seed):
        for row, letters, (target,) in zip(
            ids["token_ids"].numpy(), ids["character_ids"].numpy(), targets.numpy(), strict=True
        ):
            seen.append(target)
            assert row[row > 0].tolist() == [2, 3, 4, 3, 4][: 1 + int(target) % 5]
            assert letters[:, 0].tolist() == [1, 2, 3, 2, 3][: (row > 0).sum()] + [0] * sum(
                row == 0
            )
    assert sorted(seen) == list(range(23))


@pytest.mark.parametrize("number", [0, 1])
def test_the_same_seed_and_epoch_give_the_same_order(number):
    assert epoch(dataset(number, shuffle_seed=3)) == epoch(dataset(number, shuffle_seed=3))


def test_another_seed_and_another_epoch_give_another_order():
    orders = [
        epoch(dataset(number, shuffle_seed=seed)) for seed, number in ((3, 0), (4, 0), (3, 1))
    ]
    assert all(one != other for one, other in itertools.combinations(orders, 2))


def test_without_a_seed_rows_stand_by_length_in_every_epoch():
    rows = epoch(dataset(0))
    assert rows == epoch(dataset(1))
    assert [row for batch in rows for row in batch] == sorted(range(23), key=lambda i: i % 5)


@pytest.mark.parametrize("batch_tokens", [0, 11])
def test_an_epoch_can_be_entered_at_any_batch(batch_tokens):
    batches = toy(shuffle_seed=3, batch_tokens=batch_tokens)
    whole = epoch(batches.dataset(1))
    assert len(whole) == batches.steps(1)
    for start in range(len(whole) + 1):
        rest = batches.dataset(1, start)
        assert epoch(rest) == whole[start:]
        assert rest.cardinality() == len(whole) - start


def test_the_padding_share_is_that_of_the_tokens():
    # With the start token 5 rows each of 1, 2 and 3 tokens, 4 each of 4 and 5; the batches in
    # ascending order hold 4, 8, 12, 16, 20 and 15 positions.
    assert toy().padding_share() == pytest.approx(1 - (5 + 10 + 15 + 16 + 20) / 75)


def test_batches_are_padded_with_zeros_to_their_own_longest_row():
    widths = [ids["token_ids"].shape for ids, _ in dataset()]
    # 5 rows each of 0, 1 and 2 words, 4 each of 3 and 4; and the start token.
    assert widths == [(4, 1), (4, 2), (4, 3), (4, 4), (4, 5), (3, 5)]


def test_dtypes_and_shapes_are_those_that_the_model_takes():
    ids, targets = dataset().element_spec
    assert ids["token_ids"].dtype == ids["character_ids"].dtype == tf.int32
    assert ids["character_ids"].shape.as_list() == [None, None, 2]
    assert targets.dtype == tf.float32
    assert targets.shape.as_list() == [None, 1]


def test_batches_for_several_replicas_are_filled_up_with_copies_that_weigh_nothing():
    batches = toy(replicas=3)
    seen = []
    for rows, (ids, targets, weights) in zip(batches.order(0), batches.dataset(), strict=True):
        real = len(rows)
        assert len(targets) == len(weights) == len(ids["token_ids"]) == real + -real % 3
        assert weights.numpy().mean() == pytest.approx(1.0)
        assert (weights.numpy()[:real] > 0).all() and not weights.numpy()[real:].any()
        # A mean over the rows stays what it is without the copies.
        mean = (weights * targets[:, 0]).numpy().mean()
        assert mean == pytest.approx(TARGETS[rows].mean())
        seen += targets.numpy()[:real, 0].tolist()
    assert sorted(seen) == list(range(23))


@pytest.mark.parametrize("batch_tokens", [0, 100])
def test_fixed_shapes_are_one_for_each_length(batch_tokens):
    lengths = np.random.default_rng(0).integers(1, 40, 200)
    ids = {"token_ids": tf.RaggedTensor.from_row_lengths(np.ones(lengths.sum(), "int32"), lengths)}
    batches = Batches(ids, np.zeros((200, 1)), 4, batch_tokens, 0, fixed_shapes=True)
    shapes = {
        tuple(ids["token_ids"].shape) for epoch in (0, 1) for ids, *_ in batches.dataset(epoch)
    }
    widths = [8, 16, 24, 32, 40]
    expected = {(4, width) for width in widths}
    if batch_tokens:
        expected = {(8, 8), (6, 16), (4, 24), (3, 32), (2, 40)}
    assert shapes == expected


def test_what_fills_a_shape_counts_as_padding():
    # Six batches, of at most five of the eight tokens that each row takes.
    batches = toy(fixed_shapes=True)
    assert batches.padding_share() == pytest.approx(1 - batches.lengths.sum() / (6 * 4 * 8))
