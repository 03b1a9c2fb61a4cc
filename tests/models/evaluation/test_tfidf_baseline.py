import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.evaluation.tfidf_baseline import baseline_scores

TEXTS = ["you fool", "you old fool", "what a fool", "fine day", "a fine walk", "fine old day"]
KINDS = np.eye(2)[[0, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("multi_label", [False, True])
def test_texts_that_a_word_tells_apart_are_told_apart(balanced, multi_label):
    scores = baseline_scores(TEXTS, KINDS, ["such a fool", "fine evening"], multi_label, balanced)
    assert scores.argmax(axis=1).tolist() == [0, 1]


def test_scores_of_one_class_a_text_sum_to_one():
    assert_allclose(baseline_scores(TEXTS, KINDS, ["xyz", ""], False, False).sum(axis=1), 1.0)


def test_any_number_of_classes_may_be_likely():
    # The second class is "old", the third neither word.
    targets = np.array([[1, 0], [1, 1], [1, 0], [0, 0], [0, 0], [0, 1]])
    scores = baseline_scores(TEXTS, targets, ["old fool", "a day"], True, True)
    assert (scores > 0.5).tolist() == [[True, True], [False, False]]


def test_balance_raises_a_rare_class():
    targets, texts = np.eye(2)[[0, 1, 1, 1, 1, 1]], ["you fool"]
    plain, balanced = (
        baseline_scores(TEXTS, targets, texts, False, b)[0, 0] for b in (False, True)
    )
    assert balanced > plain


def test_a_class_without_a_training_row_scores_zero():
    targets = np.eye(3)[[0, 0, 0, 2, 2, 2]]
    scores = baseline_scores(TEXTS, targets, ["fool", "fine"], False, False)
    assert scores.argmax(axis=1).tolist() == [0, 2]
    assert scores[:, 1].tolist() == [0.0, 0.0]


@pytest.mark.filterwarnings("ignore:Label not")
def test_a_label_without_a_training_row_scores_zero():
    targets = np.array([[1, 0], [1, 0], [1, 0], [0, 0], [0, 0], [0, 0]])
    scores = baseline_scores(TEXTS, targets, ["fool", "fine"], True, False)
    assert scores[:, 1].tolist() == [0.0, 0.0]
    assert scores[0, 0] > scores[1, 0]


def test_a_single_label_has_one_column():
    scores = baseline_scores(TEXTS, KINDS[:, :1], ["fool", "fine"], True, False)
    assert scores.shape == (2, 1)
    assert scores[0, 0] > scores[1, 0]


def test_texts_that_share_no_word_are_answered():
    # Without spaces each text is one word, and no two texts share it.
    texts = ["今日天气很好", "明天天气也好", "你真是个笨蛋", "他也是个笨蛋"]
    scores = baseline_scores(texts, np.eye(2)[[0, 0, 1, 1]], ["天气", "笨蛋"], False, False)
    assert scores.argmax(axis=1).tolist() == [0, 1]
