import pytest

from models.evaluation.rouge import rouge_report, rouge_scores


def test_rouge_counts_shared_stems_pairs_and_orders():
    # Three of four words and of three: 2 * 3/4 * 3/3 / (3/4 + 3/3) = 6/7; one pair of three and of
    # two: 2 * 1/3 * 1/2 / (5/6) = 2/5; in the same order stand two: 2 * 2/4 * 2/3 / (7/6) = 4/7.
    found = rouge_scores(["Budget meetings moved today"], ["meeting moved, budget"])
    assert found["rouge_1"] == pytest.approx(600 / 7)
    assert found["rouge_2"] == pytest.approx(40.0)
    assert found["rouge_l"] == pytest.approx(400 / 7)


def test_the_interval_is_around_the_mean_and_one_row_has_none():
    written, references = ["a b", "c d", "e f", "g h"], ["a b", "c x", "y f", "z w"]
    report = rouge_report(written, references)
    low, high = report["intervals"]["rouge_1"]
    assert report["rouge_1"] == pytest.approx(50.0) and low < 50.0 < high
    assert rouge_report(written, references) == report
    assert rouge_report(["a"], ["a"])["intervals"]["rouge_1"] == [100.0, 100.0]
