import pytest

from models.evaluation.captions.rouge import longest_common, rouge_l


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [("abcbdab", "bdcaba", 4), ("abc", "abc", 3), ("abc", "cba", 1), ("", "abc", 0), ("a", "", 0)],
)
def test_the_longest_common_sequence_may_have_gaps(one, other, length):
    assert longest_common(one, other) == longest_common(other, one) == length


def test_the_best_precision_and_the_best_recall_may_be_of_different_references():
    # "dogs run" of 3 words: precision 2 / 3; "a dog" of 2 words is all found, recall 1.
    caption, references = "a dog runs", ["dog runs in the wide park", "a dog"]
    (score,) = rouge_l([caption.split()], [[each.split() for each in references]])
    precision, recall = 2 / 3, 1.0
    assert score == pytest.approx(2.44 * precision * recall / (recall + 1.44 * precision))


def test_nothing_in_common_scores_nothing():
    assert rouge_l([["a"], []], [[["b"]], [["b"]]]).tolist() == [0, 0]
