import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.evaluation import bias
from models.evaluation.bias import (
    Counterfactuals,
    auc_with_interval,
    bias_table,
    generalised_mean,
    group_aucs,
)

# Five texts name the group, of which two are positive; so are two of the five others.
MEMBER = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], bool)
POSITIVE = np.array([1, 1, 0, 0, 0, 1, 1, 0, 0, 0], bool)
SCORES = np.array([0.9, 0.4, 0.6, 0.8, 0.3, 0.7, 0.5, 0.2, 0.1, 0.65])


@pytest.fixture
def few_rows_are_enough(monkeypatch):
    monkeypatch.setattr(bias, "FEWEST_ROWS", 2)


def test_the_aucs_of_ten_rows_by_hand(few_rows_are_enough):
    report = group_aucs(POSITIVE, SCORES, {"a": MEMBER, "nobody": np.zeros(10, bool)})
    assert list(report["groups"]) == ["a"]
    group = report["groups"]["a"]
    assert (report["rows"], report["positive"]) == (10, 4)
    assert (group["texts"], group["positive"]) == (5, 2)
    assert report["auc"] == pytest.approx(17 / 24)
    # 0.9 and 0.4 against 0.6, 0.8 and 0.3.
    assert group["subgroup_auc"] == pytest.approx(4 / 6)
    # 0.7 and 0.5 against 0.6, 0.8 and 0.3.
    assert group["bpsn_auc"] == pytest.approx(3 / 6)
    # 0.9 and 0.4 against 0.2, 0.1 and 0.65.
    assert group["bnsp_auc"] == pytest.approx(5 / 6)
    assert report["generalised_means"] == pytest.approx({name: group[name] for name in bias.AUCS})
    json.dumps(report)


def test_delongs_interval_by_hand(few_rows_are_enough):
    auc, (low, high) = auc_with_interval(np.array([0.9, 0.4]), np.array([0.6, 0.8, 0.3]))
    # Shares below 1 and 1/3, above 1/2, 1/2 and 1: a variance of 1/9 + 1/36.
    room = 1.959964 * (5 / 36) ** 0.5 / (2 / 9)
    assert auc == pytest.approx(2 / 3)
    assert np.log(low / (1 - low)) == pytest.approx(np.log(2) - room)
    assert np.log(high / (1 - high)) == pytest.approx(np.log(2) + room)


def test_the_auc_is_scikit_learns_with_ties_counted_half():
    generator = np.random.default_rng(0)
    positive = generator.random(200) < 0.3
    scores = np.round(generator.random(200) + 0.3 * positive, 1)
    auc, (low, high) = auc_with_interval(scores[positive], scores[~positive])
    assert auc == pytest.approx(roc_auc_score(positive, scores))
    assert auc - 0.15 < low < auc < high < auc + 0.15


def test_the_interval_holds_the_true_area_as_often_as_it_says():
    generator = np.random.default_rng(0)
    # Two normal distributions a standard deviation apart: an area of 0.760.
    intervals = [
        auc_with_interval(generator.normal(1, 1, 20), generator.normal(0, 1, 60))[1]
        for _ in range(500)
    ]
    share = np.mean([low < 0.76025 < high for low, high in intervals])
    assert 0.92 < share < 0.98


def test_too_few_rows_on_a_side_give_no_metric():
    few, enough = np.arange(bias.FEWEST_ROWS - 1.0), np.arange(float(bias.FEWEST_ROWS))
    assert auc_with_interval(few, enough) == (None, None)
    assert auc_with_interval(enough, few) == (None, None)
    assert auc_with_interval(np.array([]), enough) == (None, None)
    assert auc_with_interval(enough, enough)[0] == pytest.approx(0.5)


def test_an_area_of_one_has_no_interval():
    assert auc_with_interval(np.arange(10, 20), np.arange(10)) == (1.0, None)


@pytest.mark.parametrize(
    ("values", "mean"),
    [([0.5, 1.0], 16.5**-0.2), ([0.7, None], 0.7), ([0.0, 1.0], 0.0), ([None], None), ([], None)],
)
def test_the_generalised_mean_follows_the_worst_group(values, mean):
    assert generalised_mean(values) == (None if mean is None else pytest.approx(mean))


def test_swaps_are_averaged_by_text_and_then_over_texts(few_rows_are_enough):
    sums = Counterfactuals(["a", "b", "c"])
    # A text of group a with two swaps, in two batches; another with one; one of group c.
    sums.add(np.array([0]), np.array([0.5]), np.array([0.4]), np.array([True]))
    sums.add(
        np.array([0, 0, 2]),
        np.array([0.5, 1.0, 1.0]),
        np.array([0.0, -0.2, 0.1]),
        np.array([False, True, True]),
    )
    metrics = sums.metrics()
    assert metrics["a"] == pytest.approx(
        {"swapped_texts": 2, "swaps": 3, "flip_rate": 0.75, "score_gap": 0.2, "score_rise": 0.0}
    )
    assert (metrics["b"]["swapped_texts"], metrics["b"]["swaps"]) == (0, 0)
    assert metrics["c"] == {
        "swapped_texts": 1,
        "swaps": 1,
        "flip_rate": None,
        "score_gap": None,
        "score_rise": None,
    }
    json.dumps(metrics)


def test_the_table_has_a_line_a_group_and_a_dash_for_what_is_not_known():
    report = group_aucs(POSITIVE, SCORES, {"a rather long name of a group": MEMBER})
    for name, metrics in Counterfactuals(list(report["groups"])).metrics().items():
        report["groups"][name] |= metrics
    lines = [line.split() for line in bias_table(report).splitlines()]
    assert lines[1][-5:] == ["5", "2", "-", "-", "-"]
    assert lines[-1][-5:] == ["0", "0", "-", "-", "-"]
    assert ["all", "texts", "10", "4", "-"] in lines


def test_a_table_without_groups_says_what_all_texts_give(few_rows_are_enough):
    lines = bias_table(group_aucs(POSITIVE, SCORES, {})).splitlines()
    assert any(line.split()[:5] == ["all", "texts", "10", "4", "0.708"] for line in lines)
