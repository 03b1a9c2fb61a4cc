import pytest

from models.evaluation.generated_texts import text_report, text_table
from models.evaluation.rouge import rouge_report, rouge_scores
from models.evaluation.translation import translation_metrics


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


def test_of_several_references_the_nearest_one_counts():
    references = [("x y", "a b", "a c"), ("d",)]
    found = rouge_report(["a b", "e"], references)
    assert found["rouge_1"] == found["rouge_2"] == pytest.approx(50.0)


def test_a_report_has_the_metrics_by_all_references_beside_those_by_the_first():
    written, first = ["the cat sat on the mat"], ["a dog lay in the sun"]
    report = text_report(("rouge", "bleu"), written, first, ["text"], [("the cat sat on the mat",)])
    assert report["rouge_1"] < 50
    several = report["several_references"]
    assert (several["most"], several["rouge_l"]) == (2, pytest.approx(100.0))
    assert [several["bleu"], several["chrf"]] == pytest.approx([100.0, 100.0])
    table = text_table(report, "summaries")
    assert "by all references of a text, up to 2:\nROUGE-1  100.00  (95 %: 100.00" in table
    # One reference each is reported once.
    assert "several_references" not in text_report(("rouge",), written, first, ["text"], [()])


def test_texts_have_different_numbers_of_references():
    written = ["the cat sat on the mat", "it is cold in here"]
    found = translation_metrics(written, [("x", written[0]), (written[1],)])
    assert found == pytest.approx({"bleu": 100.0, "chrf": 100.0})
