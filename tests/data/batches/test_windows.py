import numpy as np
import pytest
import tensorflow as tf

from data.batches.windows import cut_windows


@pytest.mark.parametrize("lengths", [[5], [0, 8, 9, 0], [100, 1, 23], [], [0]])
@pytest.mark.parametrize(("size", "overlap"), [(8, 2), (8, 0), (5, 2)])
def test_windows_answer_every_token_once_and_in_order(lengths, size, overlap):
    windows = cut_windows(tf.constant(lengths, tf.int64), size, overlap)
    kept = [np.arange(a, b) for a, b in zip(windows.keep_from, windows.keep_to, strict=True)]
    assert np.array_equal(np.concatenate([[], *kept]), np.arange(sum(lengths)))
    assert (windows.end - windows.begin <= size).numpy().all()


def test_tokens_inside_a_text_are_read_between_neighbours():
    windows = cut_windows(tf.constant([50, 30], tf.int64), 10, 3)
    for begin, end, keep_from, keep_to in zip(*windows, strict=True):
        text = 0 if end <= 50 else 50
        assert begin >= text
        assert keep_from - begin >= 3 or keep_from == text
        assert end - keep_to >= 3 or keep_to in (50, 80)


def test_a_text_that_fits_is_one_window():
    windows = cut_windows(tf.constant([10, 3], tf.int64), 10, 3)
    assert windows.begin.numpy().tolist() == [0, 10]
    assert windows.end.numpy().tolist() == [10, 13]


def test_the_last_window_is_moved_back_until_it_is_full():
    windows = cut_windows(tf.constant([11, 12], tf.int64), 10, 3)
    # Strides of 4: what is left of each text would be a window of 7 and of 8 tokens.
    assert windows.begin.numpy().tolist() == [0, 1, 11, 13]
    assert windows.end.numpy().tolist() == [10, 11, 21, 23]
    assert windows.keep_from.numpy().tolist() == [0, 7, 11, 18]
    assert windows.keep_to.numpy().tolist() == [7, 11, 18, 23]


def test_overlaps_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="overlap 4 leaves nothing of windows of 8"):
        cut_windows(tf.constant([3], tf.int64), 8, 4)
