import numpy as np
import pytest

from models.prior import STRENGTHS, best_strength


def test_a_rare_class_gets_its_chance():
    # The second class is rare: its rows come second by a little. log(0.9 / 0.1) = 2.2, and the
    # shift has to be above 0.5 and below 2: strengths from 0.25 to 0.9 are right. The first whose
    # two neighbours on each side are right too is 0.35.
    logits = np.array([[2.0, 0.0], [2.0, 0.0], [0.5, 0.0], [0.5, 0.0]])
    targets = np.eye(2)[[0, 0, 1, 1]]
    strength, macro_f1 = best_strength(logits, targets, np.array([0.9, 0.1]))
    assert (strength, macro_f1) == (pytest.approx(0.35), 1.0)


def test_a_single_lucky_strength_loses_against_a_good_neighbourhood(monkeypatch):
    figures = iter([0.0] * 3 + [0.9] + [0.0] * 4 + [0.8] * 7 + [0.0] * 6)
    monkeypatch.setattr("models.prior.f1_score", lambda *arguments, **options: next(figures))
    strength, macro_f1 = best_strength(np.zeros((1, 2)), np.eye(2)[:1], np.array([0.5, 0.5]))
    assert (strength, macro_f1) == (pytest.approx(0.5), 0.8)


def test_of_equal_strengths_the_weakest_is_chosen():
    logits = np.array([[5.0, 0.0], [0.0, 5.0]])
    assert best_strength(logits, np.eye(2), np.array([0.8, 0.2])) == (0.0, 1.0)


def test_an_even_prior_moves_nothing():
    logits = np.array([[1.0, 0.0], [1.0, 0.0]])
    strength, macro_f1 = best_strength(logits, np.eye(2), np.array([0.5, 0.5]))
    assert (strength, macro_f1) == (0.0, pytest.approx(1 / 3))


def test_a_class_without_a_validation_row_counts_as_missed():
    logits = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    _, macro_f1 = best_strength(logits, np.eye(3)[:2], np.array([0.4, 0.4, 0.2]))
    assert macro_f1 == pytest.approx(2 / 3)


def test_no_correction_is_among_the_choices():
    assert STRENGTHS[0] == 0.0 and STRENGTHS[-1] == 1.0
