import numpy as np
import pytest

from apps.tasks.tagging.rows import best_shift, nearest_harmless

SHIFTS = np.array([-1.0, -0.5, 0.0, 0.5])


@pytest.mark.parametrize(
    ("f1", "best"),
    [
        ([0.4, 0.5, 0.4, 0.3], -0.5),
        ([0.5, 0.5, 0.5, 0.5], 0.0),
        ([0.3, 0.3, 0.4, 0.5], 0.5),
        # one lucky shift beside a bad one is none
        ([0.52, 0.3, 0.5, 0.5], 0.5),
    ],
    ids=["a peak", "flat", "at the end", "one jump"],
)
def test_the_score_of_no_entity_is_shifted_to_the_best_f1(f1, best):
    assert SHIFTS[best_shift(SHIFTS, f1)] == best


def test_without_a_choice_nothing_is_shifted():
    assert best_shift(np.zeros(1), [0.7]) == 0


@pytest.mark.parametrize(
    ("f1", "kept"),
    [
        ([0.7, 0.71, 0.72, 0.7], -1.0),
        ([0.4, 0.69, 0.72, 0.7], -0.5),
        ([0.4, 0.5, 0.6, 0.7], 0.5),
    ],
    ids=["harmless", "too large", "harmful as a whole"],
)
def test_a_shift_is_kept_as_far_as_it_does_no_harm(f1, kept):
    assert SHIFTS[nearest_harmless(SHIFTS, f1, -1.0)] == kept
