import json

import numpy as np
import pytest
from sklearn import metrics

from models.metrics import classification_metrics, headline, metrics_table, predicted

NAMES = ("a", "b", "c")
# Rows are true classes: a, a, a, b, b, c; decided as a, a, b, b, c, c.
TARGETS = np.eye(3, dtype="float32")[[0, 0, 0, 1, 1, 2]]
SCORES = (
    np.array([[8, 1, 1], [6, 3, 1], [3, 6, 1], [2, 7, 1], [1, 4, 5], [1, 3, 6]], "float32") / 10
)


def test_the_highest_score_is_decided():
    assert predicted(SCORES, multi_label=False).argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2]
    assert (predicted(SCORES, multi_label=False).sum(axis=1) == 1).all()


def test_of_equal_scores_one_class_is_decided():
    assert predicted(np.array([[0.4, 0.4, 0.2]]), False).tolist() == [[True, False, False]]


def test_every_class_that_reaches_the_threshold_is_decided():
    decided = predicted(np.array([[0.5, 0.9, 0.49], [0.1, 0.2, 0.3]]), multi_label=True)
    assert decided.tolist() == [[True, True, False], [False, False, False]]


def test_the_figures_by_hand():
    report = classification_metrics(TARGETS, SCORES, NAMES)
    assert report["rows"] == 6
    assert report["accuracy"] == pytest.approx(4 / 6)
    assert report["confusion_matrix"] == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    figures = {name: (row["precision"], row["recall"]) for name, row in report["per_class"].items()}
    assert figures == {
        "a": (1.0, pytest.approx(2 / 3)),
        "b": (0.5, 0.5),
        "c": (0.5, 1.0),
    }
    # F1: 4/5, 1/2, 2/3.
    assert report["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert report["weighted_f1"] == pytest.approx((3 * 4 / 5 + 2 * 1 / 2 + 2 / 3) / 6)


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_figures_are_those_of_scikit_learn(multi_label):
    generator = np.random.default_rng(0)
    targets = np.eye(3)[generator.integers(0, 3, 60)]
    if multi_label:
        targets = generator.integers(0, 2, (60, 3)).astype(float)
    scores = generator.random((60, 3)) + 0.3 * targets
    scores /= 1.3 if multi_label else scores.sum(axis=1, keepdims=True)
    decided = predicted(scores, multi_label)
    report = classification_metrics(targets, scores, NAMES, multi_label)
    f1 = metrics.f1_score(targets, decided, average=None)
    expected = {
        "accuracy": metrics.accuracy_score(targets, decided),
        "macro_f1": f1.mean(),
        "weighted_f1": metrics.f1_score(targets, decided, average="weighted"),
        "roc_auc": metrics.roc_auc_score(targets, scores, average="macro"),
        "average_precision": metrics.average_precision_score(targets, scores, average="macro"),
    }
    assert {name: report[name] for name in expected} == pytest.approx(expected)
    assert [report["per_class"][name]["f1"] for name in NAMES] == pytest.approx(f1.tolist())


def test_several_labels_have_no_confusion_matrix():
    assert "confusion_matrix" not in classification_metrics(TARGETS, SCORES, NAMES, True)


def test_several_labels_must_all_be_right_for_a_right_row():
    targets, scores = np.array([[1, 1], [0, 0]]), np.array([[0.9, 0.1], [0.1, 0.1]])
    assert classification_metrics(targets, scores, ("a", "b"), True)["accuracy"] == 0.5


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_class_that_never_occurs_has_no_ranking_and_an_f1_of_zero(multi_label):
    report = classification_metrics(TARGETS[:5], SCORES[:5], NAMES, multi_label)
    never = report["per_class"]["c"]
    assert (never["support"], never["recall"], never["f1"]) == (0, 0.0, 0.0)
    assert (never["roc_auc"], never["average_precision"]) == (None, None)
    assert report["roc_auc"] == pytest.approx(
        (report["per_class"]["a"]["roc_auc"] + report["per_class"]["b"]["roc_auc"]) / 2
    )


def test_a_split_of_one_class_has_no_ranking_at_all():
    report = classification_metrics(TARGETS[:1], SCORES[:1], NAMES)
    assert (report["roc_auc"], report["average_precision"], report["accuracy"]) == (None, None, 1.0)


def test_rows_without_any_label_are_counted():
    report = classification_metrics(np.zeros((2, 2)), np.full((2, 2), 0.1), ("a", "b"), True)
    assert (report["accuracy"], report["weighted_f1"]) == (1.0, 0.0)


@pytest.mark.parametrize("multi_label", [False, True])
def test_every_interval_contains_its_figure(multi_label):
    report = classification_metrics(TARGETS, SCORES, NAMES, multi_label)
    figures = {name: report[name] for name in ("accuracy", "macro_f1", "weighted_f1")}
    figures |= {f"f1 {name}": report["per_class"][name]["f1"] for name in NAMES}
    assert report["intervals"].keys() == figures.keys()
    for name, (low, high) in report["intervals"].items():
        assert 0.0 <= low <= figures[name] <= high <= 1.0
        assert low < high


def test_intervals_narrow_as_rows_are_added():
    few = classification_metrics(TARGETS, SCORES, NAMES)["intervals"]["accuracy"]
    many = classification_metrics(np.tile(TARGETS, (50, 1)), np.tile(SCORES, (50, 1)), NAMES)
    low, high = many["intervals"]["accuracy"]
    # A proportion of 2/3 in 300 rows: 1.96 standard errors are 0.053.
    assert (high - low) / 2 == pytest.approx(0.053, abs=0.006)
    assert few[1] - few[0] > 3 * (high - low)


def test_the_seed_decides_the_intervals():
    first, again, other = (
        classification_metrics(TARGETS, SCORES, NAMES, seed=seed)["intervals"] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_the_figures_are_plain_numbers():
    report = classification_metrics(TARGETS[:5], SCORES[:5], NAMES)
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_table_has_a_line_for_each_class_and_figure(multi_label):
    table = metrics_table(classification_metrics(TARGETS[:5], SCORES[:5], NAMES, multi_label))
    lines = table.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        "a",
        "b",
        "c",
        "accuracy",
        "macro",
        "weighted",
    ]
    assert lines[3].split()[-2:] == ["-", "-"]


def test_the_figures_to_compare_by_are_accuracy_and_f1():
    found = headline(classification_metrics(TARGETS, SCORES, NAMES))
    assert found == {
        "accuracy": pytest.approx(4 / 6),
        "macro F1": pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3),
        "F1 a": pytest.approx(4 / 5),
        "F1 b": pytest.approx(1 / 2),
        "F1 c": pytest.approx(2 / 3),
    }
