import numpy as np
import tensorflow as tf

from data.batches.streams import Streams
from data.text.special_tokens import END, START

TEXTS = tf.ragged.constant([[11, 12, 13, 14, 15, 16, 17], [21, 22], [31, 32, 33]], dtype=tf.int32)
ONE = tf.ragged.constant([list(range(10, 60))], dtype=tf.int32)


def batches(streams, epoch=0, start=0):
    return [
        ({name: value.numpy().tolist() for name, value in inputs.items()}, targets.numpy().tolist())
        for inputs, targets in streams.dataset(epoch, start)
    ]


def test_rows_go_on_from_batch_to_batch():
    (first, predicted), (second, predicted_then), *rest = batches(Streams(TEXTS, 2, 4))
    assert first["token_ids"] == [[START, 11, 12, 13], [START, 21, 22, 0]]
    assert predicted == [[11, 12, 13, 14], [21, 22, END, 0]]
    assert first["starts"] == [True, True]
    assert second["token_ids"] == [[14, 15, 16, 17], [START, 31, 32, 33]]
    assert predicted_then == [[15, 16, 17, END], [31, 32, 33, END]]
    assert second["starts"] == [False, True]
    assert rest == []


def test_a_text_that_was_cut_off_has_no_end():
    *_, (_, predicted) = batches(Streams(TEXTS, 2, 4, ends=False))
    assert predicted == [[15, 16, 17, 0], [31, 32, 33, 0]]


def test_every_token_is_predicted_once_whatever_the_shape():
    for batch_size, length, context in [(1, 3, 0), (2, 4, 1), (3, 2, 2), (8, 5, 1)]:
        found = [
            token
            for _, targets in batches(Streams(TEXTS, batch_size, length, context=context))
            for row in targets
            for token in row
            if token
        ]
        assert sorted(found) == sorted([*TEXTS.flat_values.numpy(), END, END, END])


def test_no_row_is_of_padding_alone():
    for inputs, _ in batches(Streams(TEXTS, 8, 3)):
        assert all(row[0] for row in inputs["token_ids"])


def test_context_is_read_and_not_counted():
    steps = batches(Streams(ONE, 2, 10, ends=False, context=1))
    (before, nothing), (begun, predicted), *_ = steps
    # The second row's part begins with the fourth window; the first one's with the text.
    assert before["token_ids"][1] == [START, *range(30, 39)]
    assert begun["token_ids"][1] == list(range(39, 49))
    assert nothing == [[0] * 10, [0] * 10]
    assert begun["starts"] == [True, False]
    assert predicted == [list(range(10, 20)), list(range(40, 50))]


def test_context_is_of_the_same_text():
    for inputs, _ in batches(Streams(TEXTS, 2, 4, context=3))[:3]:
        assert inputs["token_ids"][1] == [START, 0, 0, 0]


def test_epochs_differ_and_each_follows_from_seed_and_number():
    streams = Streams(TEXTS, 2, 4, shuffle_seed=3)
    orders = {str(batches(streams, epoch)) for epoch in range(8)}
    assert len(orders) > 1
    again = Streams(TEXTS, 2, 4, shuffle_seed=3)
    assert batches(again, 5) == batches(streams, 5)
    assert batches(streams, 5, start=1) == batches(streams, 5)[1:]


def test_windows_of_a_long_text_end_elsewhere_in_another_epoch():
    streams = Streams(ONE, 2, 5, shuffle_seed=0)
    begun = [batches(streams, epoch)[0] for epoch in range(8)]
    assert all(row[0] == START for inputs, _ in begun for row in inputs["token_ids"])
    firsts = {targets[0][0] for _, targets in begun}
    assert len(firsts) > 2 and firsts <= set(range(10, 15))


def test_a_text_that_the_rows_hold_in_one_batch_loses_no_token():
    # Longer than a window, not longer than all rows: there is nothing to gain by beginning later.
    text = tf.ragged.constant([list(range(10, 22))], dtype=tf.int32)
    streams = Streams(text, 4, 5, shuffle_seed=0)
    for epoch in range(6):
        found = [u for _, rows in batches(streams, epoch) for row in rows for u in row if u]
        assert sorted(found) == sorted([*range(10, 22), END])


def test_labels_go_with_their_texts():
    inputs, _ = batches(Streams(TEXTS, 2, 4, labels=np.array([2, 0, 1])))[1]
    assert inputs["labels"] == [2, 1]


def test_the_shares_and_numbers_are_told():
    streams = Streams(TEXTS, 2, 4)
    assert (streams.num_tokens, streams.steps(0)) == (15, 2)
    assert streams.padding_share() == 1 / 16


def test_texts_without_a_token_are_ends_alone():
    texts = tf.ragged.constant([[], [11]], dtype=tf.int32, ragged_rank=1)
    assert batches(Streams(texts, 1, 4))[0][1] == [[END, 0, 0, 0]]
    assert Streams(texts, 1, 4, ends=False).num_tokens == 1


def test_backward_rows_hold_the_same_texts_from_their_ends():
    (first, predicted), (second, predicted_then) = batches(Streams(TEXTS, 2, 4, backward=True))
    assert first["token_ids"] == [
        *[[START, 11, 12, 13], [START, 21, 22, 0]],
        *[[START, 17, 16, 15], [START, 22, 21, 0]],
    ]
    assert predicted[2:] == [[17, 16, 15, 14], [22, 21, END, 0]]
    assert second["token_ids"][2:] == [[14, 13, 12, 11], [START, 33, 32, 31]]
    assert second["starts"] == [False, True] * 2
    assert predicted_then[2:] == [[13, 12, 11, END], [33, 32, 31, END]]


def test_the_second_half_of_a_shuffled_epoch_is_that_of_the_reversed_texts():
    options = {"shuffle_seed": 3, "labels": np.array([0, 1, 2])}
    both = batches(Streams(TEXTS, 2, 4, backward=True, **options), epoch=1, start=1)
    there = batches(Streams(TEXTS, 2, 4, **options), epoch=1, start=1)
    back = batches(Streams(TEXTS[:, ::-1], 2, 4, **options), epoch=1, start=1)
    for (inputs, targets), one, other in zip(both, there, back, strict=True):
        assert inputs == {name: one[0][name] + other[0][name] for name in inputs}
        assert targets == one[1] + other[1]
