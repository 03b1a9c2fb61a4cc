import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

from models.classification import thresholds
from models.classification.thresholds import (
    STRENGTHS,
    choose_by_f1,
    choose_by_prior,
    choose_for_precision,
    choose_thresholds,
    decide,
)


def softmax(logits):
    return tf.nn.softmax(np.array(logits, np.float64)).numpy()


def macro_f1(scores, targets, chosen, multi_label=False):
    decided = decide(scores / chosen, multi_label).numpy()
    return f1_score(targets > 0.5, decided, average="macro", zero_division=0)


def test_a_rare_class_gets_its_chance():
    # The second class is rare: its rows come second by a little. log(0.9 / 0.1) = 2.2, and the
    # shift has to be above 0.5 and below 2: strengths from 0.25 to 0.9 are right. The first whose
    # two neighbours on each side are right too is 0.35.
    scores = softmax([[2.0, 0.0], [2.0, 0.0], [0.5, 0.0], [0.5, 0.0]])
    targets, prior = np.eye(2)[[0, 0, 1, 1]], np.array([0.9, 0.1])
    chosen = choose_by_prior(scores, targets, prior, False)
    assert chosen == pytest.approx(prior**0.35)
    assert macro_f1(scores, targets, chosen) == 1.0


def test_a_single_lucky_strength_loses_against_a_good_neighbourhood(monkeypatch):
    values = iter([0.0] * 3 + [0.9] + [0.0] * 4 + [0.8] * 7 + [0.0] * 6)
    monkeypatch.setattr(thresholds, "_macro_f1", lambda *arguments: next(values))
    prior = np.array([0.2, 0.8])
    chosen = choose_by_prior(np.full((1, 2), 0.5), np.eye(2)[:1], prior, False)
    assert chosen == pytest.approx(prior**0.5)


def test_of_equal_strengths_the_weakest_is_chosen():
    scores = softmax([[5.0, 0.0], [0.0, 5.0]])
    assert choose_by_prior(scores, np.eye(2), np.array([0.8, 0.2]), False).tolist() == [1.0, 1.0]


def test_no_correction_is_among_the_choices():
    assert STRENGTHS[0] == 0.0 and STRENGTHS[-1] == 1.0


def test_each_class_gets_the_threshold_with_the_best_f1():
    # The third class is frequent and says so too timidly: no power of its frequency helps it.
    scores = softmax([[2.0, 0.0, 1.0], [2.0, 0.0, 1.0], [0.0, 2.0, 1.0], [0.0, 2.0, 1.0]] * 2)
    scores = np.concatenate([scores, softmax([[1.2, 1.0, 1.0], [1.0, 1.2, 1.0]] * 4)])
    targets = np.eye(3)[[0, 0, 1, 1] * 2 + [2, 2] * 4]
    prior = np.array([0.25, 0.25, 0.5])
    assert macro_f1(scores, targets, choose_by_prior(scores, targets, prior, False)) < 0.8
    assert macro_f1(scores, targets, choose_by_f1(scores, targets, prior, False)) == 1.0


def test_several_labels_get_a_threshold_each():
    scores = np.array([[0.3, 0.9], [0.25, 0.8], [0.1, 0.7], [0.05, 0.6]])
    targets = np.array([[1, 1], [1, 1], [0, 0], [0, 0]])
    chosen = choose_by_f1(scores, targets, np.array([0.5, 0.5]), True)
    assert 0.1 < chosen[0] <= 0.25 and 0.7 < chosen[1] <= 0.8


@pytest.mark.parametrize(("present", "spike"), [(0.9, 0.1), (0.86, 0.95)])
def test_a_threshold_stays_unless_the_smoothed_best_is_better(monkeypatch, present, spike):
    # A plateau of 0.85 above 0.6 is the smoothed best; a lucky single threshold counts for nothing.
    def macro_f1(scores, targets, chosen, multi_label):
        values = [
            present if value == 0.5 else spike if value < 0.13 else 0.85 if value > 0.6 else 0.1
            for value in chosen
        ]
        return min(values) if max(values) == present else max(values)

    monkeypatch.setattr(thresholds, "_macro_f1", macro_f1)
    chosen = choose_by_f1(np.full((1, 1), 0.5), np.ones((1, 1)), np.ones(1), True)
    assert chosen.tolist() == [0.5]


@pytest.mark.parametrize(("multi_label", "expected"), [(False, 1.0), (True, 0.5)])
def test_without_a_goal_all_thresholds_are_equal(multi_label, expected):
    chosen = choose_thresholds("none", np.ones((2, 3)), None, None, multi_label)
    assert chosen.tolist() == [expected] * 3


def test_an_unknown_goal_is_refused():
    with pytest.raises(ValueError, match=r"goal of thresholds 'recall'.*none, prior, f1"):
        choose_thresholds("recall", None, None, None, False)


# Of the first class, by falling score: right, right, wrong, right, wrong.
FALLING = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.5, 0.5]])
RIGHT = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("precision", "given"), [(1.0, 2), (0.75, 4), (0.7, 4), (0.6, 5), (0.5, 5)]
)
@pytest.mark.parametrize("multi_label", [False, True])
def test_a_precision_is_had_with_the_highest_recall(precision, given, multi_label):
    start = np.array([0.5, 0.5])
    chosen = choose_for_precision(FALLING, RIGHT, start, 0, precision, multi_label)
    assert decide(FALLING / chosen, multi_label).numpy()[:, 0].sum() == given
    assert chosen[1] == 0.5


def test_a_precision_that_cannot_be_had_gives_the_best_one():
    # Its most certain row is wrong: two of three is the best.
    right = np.array([[0, 1], [1, 0], [1, 0], [0, 1], [0, 1]])
    chosen = choose_for_precision(FALLING, right, np.array([0.5, 0.5]), 0, 0.9, True)
    assert decide(FALLING / chosen, True).numpy()[:, 0].tolist() == [True] * 3 + [False] * 2


def test_rows_of_one_score_are_given_a_class_together():
    scores = np.array([[0.8, 0.2]] * 2 + [[0.4, 0.6]])
    targets = np.array([[1, 0], [0, 1], [0, 1]])
    chosen = choose_for_precision(scores, targets, np.array([0.5, 0.5]), 0, 0.5, False)
    assert decide(scores / chosen, False).numpy()[:, 0].tolist() == [True, True, False]


def test_a_row_is_not_split_from_another_of_the_same_score_for_a_precision():
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.8, 0.2]])
    targets = np.array([[1, 0], [1, 0], [0, 1]])
    chosen = choose_for_precision(scores, targets, np.array([0.5, 0.5]), 0, 1.0, False)
    # The second row is right, but cannot be had without the third one, which is wrong.
    assert decide(scores / chosen, False).numpy()[:, 0].tolist() == [True, False, False]


# The first class ranks first in its two rows, and is never above a fifth.
SHY = np.array([[0.20, 0.80], [0.16, 0.84], [0.10, 0.90], [0.08, 0.92], [0.06, 0.94], [0.04, 0.96]])
OF_SHY = np.eye(2)[[0, 0, 1, 1, 1, 1]]


@pytest.mark.parametrize("goal", ["prior", "f1"])
@pytest.mark.parametrize("multi_label", [False, True])
def test_a_class_that_is_scored_low_as_a_whole_can_be_predicted(goal, multi_label):
    # Frequencies of 0.45 and 0.55 move the boundary to 0.45 at the most.
    chosen = choose_thresholds(goal, SHY, OF_SHY, np.array([0.45, 0.55]), multi_label)
    assert decide(SHY / chosen, multi_label).numpy()[:, 0].tolist() == [True] * 2 + [False] * 4
    assert (chosen > 0).all()


def test_a_rescue_stands_between_two_rows():
    chosen = choose_thresholds("prior", SHY, OF_SHY, np.array([0.5, 0.5]), True)
    assert chosen == pytest.approx([(0.16 + 0.10) / 2, 0.5])


def test_without_a_goal_no_class_is_rescued():
    chosen = choose_thresholds("none", SHY, OF_SHY, np.array([0.5, 0.5]), False)
    assert chosen.tolist() == [1.0, 1.0]


def test_a_class_is_not_rescued_at_the_price_of_the_others():
    # Its one row comes last: to give it the class is to give it to all.
    targets = np.eye(2)[[1, 1, 1, 1, 1, 0]]
    chosen = choose_thresholds("prior", SHY, targets, np.array([0.5, 0.5]), False)
    assert not decide(SHY / chosen, False).numpy()[:, 0].any()


def test_a_class_without_rows_is_left_alone():
    chosen = choose_thresholds("prior", SHY, np.eye(2)[[1] * 6], np.array([0.5, 0.5]), False)
    assert chosen.tolist() == [1.0, 1.0]


def test_scores_of_nothing_but_zeros_leave_a_threshold_above_zero():
    scores = np.array([[0.0, 1.0]] * 3)
    chosen = choose_for_precision(scores, np.eye(2)[[0, 1, 1]], np.array([0.5, 0.5]), 0, 0.9, False)
    assert (chosen > 0).all() and np.isfinite(scores / chosen).all()
