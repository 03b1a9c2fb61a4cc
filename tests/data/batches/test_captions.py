"""Batches of pictures with all of their captions."""

import numpy as np
import tensorflow as tf

from data.batches.captions import CaptionBatches
from data.batches.pictures import decode_picture, shift_pictures

CAPTIONS = tf.ragged.constant([[[5, 6], [7]], [[5, 6, 7]], [[8], [8, 9, 9], [5]]], dtype=tf.int32)


def test_a_batch_has_pictures_with_all_their_captions_and_empty_ones():
    batches = CaptionBatches(CAPTIONS, np.arange(3)[:, None], "features", batch_size=2)
    (first, first_targets), (second, second_targets) = batches.dataset()
    assert first["features"].numpy().tolist() == [[0.0], [1.0]]
    assert first["target_ids"].numpy().tolist() == [
        [[2, 5, 6, 0], [2, 7, 0, 0]],
        [[2, 5, 6, 7], [0, 0, 0, 0]],
    ]
    # Each caption one step later, one behind the other.
    assert first_targets.numpy().tolist() == [[5, 6, 3, 0, 7, 3, 0, 0], [5, 6, 7, 3, 0, 0, 0, 0]]
    assert second["features"].numpy().tolist() == [[2.0]]
    assert second_targets.numpy().tolist() == [[8, 3, 0, 0, 8, 9, 9, 3, 5, 3, 0, 0]]
    # 17 tokens, END included, in 2 * 2 * 4 + 3 * 4 places.
    assert batches.padding_share() == 1 - 17 / 28


def test_mixed_batches_do_not_go_by_length():
    # Of 40 pictures, every other one has a long caption.
    captions = tf.ragged.constant([[[5] * (1 + 8 * (n % 2))] for n in range(40)], dtype=tf.int32)
    options = {"batch_size": 4, "shuffle_seed": 0}
    sorted_, mixed = (
        CaptionBatches(captions, np.zeros((40, 1)), "images", mixed=mixed, **options)
        for mixed in (False, True)
    )
    assert all(len({*(rows % 2)}) == 1 for rows in sorted_.order(0))
    assert sum(len({*(rows % 2)}) == 2 for rows in mixed.order(0)) >= 7
    assert sorted(np.concatenate(mixed.order(0))) == list(range(40))
    assert np.concatenate(mixed.order(0)).tolist() != np.concatenate(mixed.order(1)).tolist()


def test_an_epoch_goes_on_in_its_middle_with_the_same_shifts():
    images = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4, 1)
    options = {"batch_size": 1, "shuffle_seed": 0, "shift": 0.25}
    batches = CaptionBatches(CAPTIONS, images, "images", **options)
    whole = [inputs["images"].numpy() for inputs, _ in batches.dataset(epoch=3)]
    rest = [inputs["images"].numpy() for inputs, _ in batches.dataset(epoch=3, start=1)]
    assert len(rest) == 2
    assert all((one == other).all() for one, other in zip(whole[1:], rest, strict=True))


def test_an_epoch_reads_some_pictures_left_for_right_the_same_ones_each_time():
    captions = tf.ragged.constant([[[5]]] * 40, dtype=tf.int32)
    plain = np.arange(40, dtype=np.float32)[:, None]
    options = {"batch_size": 4, "shuffle_seed": 0}
    batches = CaptionBatches(captions, plain, "features", mirrored=-plain - 1, **options)

    def read(epoch):
        return np.concatenate([inputs["features"].numpy() for inputs, _ in batches.dataset(epoch)])

    first = read(0)
    assert (first == read(0)).all() and (first != read(1)).any()
    assert 8 < (first < 0).sum() < 32
    assert sorted(np.where(first < 0, -first - 1, first).ravel()) == list(range(40))


def test_a_shift_moves_a_picture_and_repeats_its_border():
    image = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    found = {
        tuple(shift_pictures(tf.constant(image), 1 / 3, [0, seed]).numpy().ravel())
        for seed in range(60)
    }
    moved = {
        tuple(
            image[0, np.clip(np.arange(3) + down, 0, 2)][:, np.clip(np.arange(3) + right, 0, 2)]
            .ravel()
            .tolist()
        )
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    assert found == moved


def test_the_square_in_the_middle_of_a_picture_is_read():
    pixels = np.zeros((2, 6, 3), np.uint8)
    pixels[:, 2:4] = (10, 20, 30)
    encoded = tf.io.encode_png(pixels)
    assert (decode_picture(encoded, 2).numpy() == (10, 20, 30)).all()
    assert (decode_picture(encoded, 1).numpy() == (10, 20, 30)).all()
