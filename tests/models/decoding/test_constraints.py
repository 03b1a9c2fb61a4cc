import numpy as np
import pytest
import tensorflow as tf

from models.decoding.constraints import Constraints

END = 3


def constrained(history, generated, logits=None, **options):
    """One row of 8 logits, those of `Constraints(**options)` for a history without places left."""
    logits = tf.constant([logits or [1.0] * 8])
    history = tf.constant([history], tf.int32)
    first = history.shape[1] - generated
    constraints = Constraints(**{"banned_ids": (), **options})
    return constraints(logits, history, first, generated, END).numpy()[0].tolist()


def banned(*arguments, **options):
    return np.flatnonzero(np.isneginf(constrained(*arguments, **options))).tolist()


def test_banned_ids_are_never_chosen():
    assert banned([5], 1, banned_ids=(0, 2)) == [0, 2]
    assert Constraints().banned_ids == (0, 2)


def test_the_end_waits_for_the_least_length():
    assert banned([5, 5, 5], 1, min_length=2) == [END]
    assert banned([5, 5, 5], 2, min_length=2) == []


def test_a_repeated_token_is_penalised_whatever_its_sign():
    logits = [4.0, 1, 1, 1, 2, -2, 0, 8]
    found = constrained([0, 4, 5, 5, 6], 0, logits, repetition_penalty=2.0)
    assert found == [4, 1, 1, 1, 1, -4, 0, 8]


@pytest.mark.parametrize("as_tensor", [False, True])
@pytest.mark.parametrize(
    ("history", "size", "expected"),
    [
        ([4, 5, 6, 4, 5], 3, [6]),
        ([4, 5, 6, 4, 5, 7, 4, 5], 3, [6, 7]),
        ([4, 5, 6, 4], 3, []),
        ([4, 5, 6, 4], 2, [5]),
        ([5, 5], 2, [5]),
        ([0, 0, 4, 6], 1, [4, 6]),
        ([0, 0, 4, 0], 0, []),
        ([0, 0, 0, 5], 3, []),
        ([4], 3, []),
        ([0], 2, []),
    ],
)
def test_no_run_comes_twice(history, size, expected, as_tensor):
    size = tf.constant(size) if as_tensor else size
    assert banned(history, 0, no_repeat_ngram=size) == expected


def test_places_to_come_are_no_history():
    constraints = Constraints((), no_repeat_ngram=2, repetition_penalty=2.0)
    history = tf.constant([[4, 5, 4, 0, 0]])
    found = constraints(tf.ones([1, 8]), history, 2, 1, END).numpy()[0]
    np.testing.assert_array_equal(found, [1, 1, 1, 1, 0.5, -np.inf, 1, 1])
