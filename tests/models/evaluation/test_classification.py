import json

import numpy as np
import pytest
from sklearn import metrics

from models.classification.decision import Decision
from models.evaluation.classification import classification_metrics, main_metrics, metrics_table

NAMES = ("a", "b", "c")
# Rows are true classes: a, a, a, b, b, c; decided as a, a, b, b, c, c.
TARGETS = np.eye(3, dtype="float32")[[0, 0, 0, 1, 1, 2]]
SCORES = (
    np.array([[8, 1, 1], [6, 3, 1], [3, 6, 1], [2, 7, 1], [1, 4, 5], [1, 3, 6]], "float32") / 10
)


def report_of(targets, scores, names=NAMES, multi_label=False, **options):
    """The metrics of what is decided without thresholds."""
    decided = Decision.plain(len(names), multi_label).decide(scores).numpy()
    return classification_metrics(targets, scores, decided, names, multi_label, **options)


def test_the_metrics_by_hand():
    report = report_of(TARGETS, SCORES, NAMES)
    assert report["rows"] == 6
    assert report["accuracy"] == pytest.approx(4 / 6)
    assert report["confusion_matrix"] == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    by_class = {
        name: (row["precision"], row["recall"]) for name, row in report["per_class"].items()
    }
    assert by_class == {
        "a": (1.0, pytest.approx(2 / 3)),
        "b": (0.5, 0.5),
        "c": (0.5, 1.0),
    }
    # F1: 4/5, 1/2, 2/3.
    assert report["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert report["weighted_f1"] == pytest.approx((3 * 4 / 5 + 2 * 1 / 2 + 2 / 3) / 6)


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_metrics_are_those_of_scikit_learn(multi_label):
    generator = np.random.default_rng(0)
    targets = np.eye(3)[generator.integers(0, 3, 60)]
    if multi_label:
        targets = generator.integers(0, 2, (60, 3)).astype(float)
    scores = generator.random((60, 3)) + 0.3 * targets
    scores /= 1.3 if multi_label else scores.sum(axis=1, keepdims=True)
    decided = Decision.plain(3, multi_label).decide(scores).numpy()
    report = report_of(targets, scores, multi_label=multi_label)
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
    assert "confusion_matrix" not in report_of(TARGETS, SCORES, multi_label=True)


def test_several_labels_must_all_be_right_for_a_right_row():
    targets, scores = np.array([[1, 1], [0, 0]]), np.array([[0.9, 0.1], [0.1, 0.1]])
    assert report_of(targets, scores, ("a", "b"), True)["accuracy"] == 0.5


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_class_that_never_occurs_has_no_ranking_and_an_f1_of_zero(multi_label):
    report = report_of(TARGETS[:5], SCORES[:5], multi_label=multi_label)
    never = report["per_class"]["c"]
    assert (never["support"], never["recall"], never["f1"]) == (0, 0.0, 0.0)
    assert (never["roc_auc"], never["average_precision"]) == (None, None)
    assert report["roc_auc"] == pytest.approx(
        (report["per_class"]["a"]["roc_auc"] + report["per_class"]["b"]["roc_auc"]) / 2
    )


def test_a_split_of_one_class_has_no_ranking_at_all():
    report = report_of(TARGETS[:1], SCORES[:1], NAMES)
    assert (report["roc_auc"], report["average_precision"], report["accuracy"]) == (None, None, 1.0)


def test_rows_without_any_label_are_counted():
    report = report_of(np.zeros((2, 2)), np.full((2, 2), 0.1), ("a", "b"), True)
    assert (report["accuracy"], report["weighted_f1"]) == (1.0, 0.0)


@pytest.mark.parametrize("multi_label", [False, True])
def test_every_interval_contains_its_metric(multi_label):
    report = report_of(TARGETS, SCORES, multi_label=multi_label)
    values = {name: report[name] for name in ("accuracy", "macro_f1", "weighted_f1")}
    values |= {f"f1 {name}": report["per_class"][name]["f1"] for name in NAMES}
    assert report["intervals"].keys() == values.keys()
    for name, (low, high) in report["intervals"].items():
        assert 0.0 <= low <= values[name] <= high <= 1.0
        assert low < high


def test_intervals_are_those_of_scikit_learn_over_resamples():
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 3, 80)
    guesses = np.where(generator.random(80) < 0.6, truth, generator.integers(0, 3, 80))
    report = report_of(np.eye(3)[truth], np.eye(3)[guesses] * 0.8 + 0.1)
    resamples = generator.integers(0, 80, (800, 80))
    f1 = np.array(
        [
            metrics.f1_score(truth[rows], guesses[rows], average=None, labels=[0, 1, 2])
            for rows in resamples
        ]
    )
    weights = np.array([np.bincount(truth[rows], minlength=3) for rows in resamples]) / 80
    samples = {
        "accuracy": (truth == guesses)[resamples].mean(axis=1),
        "macro_f1": f1.mean(axis=1),
        "weighted_f1": (weights * f1).sum(axis=1),
        **{f"f1 {name}": f1[:, i] for i, name in enumerate(NAMES)},
    }
    for name, values in samples.items():
        # The ends of some hundred resamples differ by a row or two from one generator to another.
        expected = np.percentile(values, [2.5, 97.5])
        assert report["intervals"][name] == pytest.approx(expected, abs=0.03)


def test_intervals_narrow_as_rows_are_added():
    few = report_of(TARGETS, SCORES, NAMES)["intervals"]["accuracy"]
    many = report_of(np.tile(TARGETS, (50, 1)), np.tile(SCORES, (50, 1)), NAMES)
    low, high = many["intervals"]["accuracy"]
    # A proportion of 2/3 in 300 rows: 1.96 standard errors are 0.053.
    assert (high - low) / 2 == pytest.approx(0.053, abs=0.006)
    assert few[1] - few[0] > 3 * (high - low)


def test_the_seed_decides_the_intervals():
    first, again, other = (
        report_of(TARGETS, SCORES, NAMES, seed=seed)["intervals"] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_the_metrics_are_plain_numbers():
    report = report_of(TARGETS[:5], SCORES[:5], NAMES)
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_table_has_a_line_for_each_class_and_metric(multi_label):
    table = metrics_table(report_of(TARGETS[:5], SCORES[:5], multi_label=multi_label))
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


def test_the_metrics_to_compare_by_are_accuracy_and_f1():
    found = main_metrics(report_of(TARGETS, SCORES))
    assert found == {
        "accuracy": pytest.approx(4 / 6),
        "macro F1": pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3),
        "F1 a": pytest.approx(4 / 5),
        "F1 b": pytest.approx(1 / 2),
        "F1 c": pytest.approx(2 / 3),
    }
