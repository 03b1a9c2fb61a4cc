import numpy as np
import pytest
import tensorflow as tf

from models.decoding.leaving_rows import run_rows

# Row i counts up to its goal; the result is the count, and the sum of a number that it carries.
GOALS = [5, 1, 0, 3, 8, 3, 2, 20]


def count_up(goals, max_steps, leaving, sizes=None):
    """Runs rows that count to their goals; notes how many rows each step has."""

    def advance(now, rows):
        goal, count, total, own = rows
        if sizes is not None:
            tf.py_function(lambda size: sizes.append(int(size)), [tf.size(goal)], [])
        running = tf.cast(count < goal, tf.int32)
        return goal, count + running, total + running[:, None] * own, own

    @tf.function
    def run(goals):
        zeros = tf.zeros_like(goals)
        own = tf.stack([tf.range(tf.size(goals)), zeros + 1], axis=1)
        return run_rows(
            advance,
            lambda rows: rows[1] < rows[0],
            lambda now, rows: (rows[1], rows[2]),
            (goals, zeros, tf.stack([zeros, zeros], axis=1), own),
            tf.constant(max_steps),
            leaving,
        )

    count, total = run(tf.constant(goals, tf.int32))
    return count.numpy(), total.numpy()


@pytest.mark.parametrize("leaving", [False, True])
@pytest.mark.parametrize("max_steps", [30, 20, 4, 1, 0])
def test_each_row_has_its_own_result_in_its_own_place(leaving, max_steps):
    count, total = count_up(GOALS, max_steps, leaving)
    expected = np.minimum(GOALS, max_steps)
    np.testing.assert_array_equal(count, expected)
    np.testing.assert_array_equal(total, np.stack([expected * np.arange(8), expected], axis=1))


def test_rows_that_have_finished_are_no_work_any_more():
    stay, leave = [], []
    count_up(GOALS, 30, False, stay)
    count_up(GOALS, 30, True, leave)
    assert stay == [8] * 20
    # After one step 6 of 8 are running, three quarters; after another 5 of those 6, which is more;
    # then 3 are, then 2 after five steps, and one after eight.
    assert leave == [8] + [6] * 2 + [3] * 2 + [2] * 3 + [1] * 12


@pytest.mark.parametrize("leaving", [False, True])
def test_a_batch_may_be_empty_or_of_one_row(leaving):
    count, total = count_up([], 5, leaving)
    assert count.shape == (0,) and total.shape == (0, 2)
    assert count_up([4], 9, leaving)[0].tolist() == [4]


@pytest.mark.parametrize("leaving", [False, True])
def test_what_advances_rows_of_a_known_number_may_not_know_it(leaving):
    def advance(now, count):
        return tf.boolean_mask(count + 1, count >= 0)

    @tf.function
    def run():
        return run_rows(
            advance,
            lambda count: count < 3,
            lambda now, count: count,
            tf.constant([0, 2]),
            tf.constant(2),
            leaving,
        )

    # The second row is over after one step; while it is there, it goes on.
    assert run().numpy().tolist() == [2, 3 if leaving else 4]
