import pytest

from models.seq2seq.gleu import Gleu


@pytest.mark.parametrize(
    ("written", "reference", "longest", "score"),
    [
        ("a b c d", "a b c d", 4, 1.0),
        ("a b", "c d", 4, 0.0),
        # 2 words and a pair of 10 n-grams.
        ("a b", "a b c d", 4, 0.3),
        # As much is lost by a text that is too long.
        ("a b c d", "a b", 4, 0.3),
        ("a b", "a b c d", 1, 0.5),
        # A word counts as often as the reference has it.
        ("a a a", "a b c", 1, 1 / 3),
        ("", "a", 4, 0.0),
        ("", "", 4, 0.0),
    ],
)
def test_the_smaller_one_of_precision_and_recall(written, reference, longest, score):
    assert Gleu(longest).scores([written.split()], [reference.split()]) == [pytest.approx(score)]


def test_the_nearest_reference_counts_and_words_may_be_ids():
    assert Gleu().scores([[1, 2], [3]], [[1, 2], [3, 4]]) == [1.0, pytest.approx(1 / 3)]
    assert Gleu().scores([[1]], []) == [0.0]
