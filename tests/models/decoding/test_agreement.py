"""Agreement of candidates, by hand."""

import numpy as np
import tensorflow as tf

from models.decoding.agreement import agreement

END = 3


def test_it_is_the_mean_f1_of_tokens_and_pairs_with_the_others():
    ids = tf.constant([[[5, 6, 7, END], [5, 6, END, 0], [8, END, 0, 0]]])
    # Tokens shared: 3 of 4 and 3 of 3; pairs: 1 of 3 and 1 of 2 (5 6; the other ends otherwise).
    first_second = (6 / 7 + 2 / 5) / 2
    # The end alone.
    first_third = (2 / 6 + 0) / 2
    second_third = (2 / 5 + 0) / 2
    expected = [
        (first_second + first_third) / 2,
        (first_second + second_third) / 2,
        (first_third + second_third) / 2,
    ]
    np.testing.assert_allclose(agreement(ids), [expected], rtol=1e-6)


def test_equal_candidates_agree_wholly_and_padding_does_not_count():
    ids = tf.constant([[[5, END, 0], [5, END, 0]], [[5, END, 0], [6, 7, 8]]])
    np.testing.assert_allclose(agreement(ids), [[1.0, 1.0], [0.0, 0.0]], atol=1e-6)


def test_one_candidate_agrees_with_none():
    np.testing.assert_allclose(
        agreement(tf.constant([[[5, 6, END]], [[END, 0, 0]]])), [[0.0], [0.0]]
    )
