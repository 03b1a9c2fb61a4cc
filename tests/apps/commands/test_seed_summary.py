import json

import pytest

from apps.commands.seed_summary import SeedSummary
from apps.tasks.classification.report import ClassificationReport


def report(accuracy, f1, roc_auc=0.5):
    rows = {"a": {"f1": f1, "support": 3, "roc_auc": roc_auc}}
    rest = {"rows": 3, "macro_f1": f1, "intervals": {"accuracy": [0.0, 1.0]}, "command": "train"}
    return {"accuracy": accuracy, **rest, "per_class": rows, "versions": {"keras": "3"}}


def test_mean_and_deviation_by_hand():
    summary = SeedSummary.collect(
        {3: report(0.5, 0.1), 4: report(0.7, 0.2), 5: report(0.9, 0.6, None)}
    )
    assert list(summary.members) == ["3", "4", "5"]
    assert summary.members["4"] == {
        "accuracy": 0.7,
        "macro_f1": 0.2,
        "per_class": {"a": {"f1": 0.2, "roc_auc": 0.5}},
    }
    f1 = pytest.approx(0.3)
    assert summary.mean == {
        "accuracy": pytest.approx(0.7),
        "macro_f1": f1,
        "per_class": {"a": {"f1": f1}},
    }
    # ((0.2 ** 2 + 0 + 0.2 ** 2) / 2) ** 0.5
    assert summary.deviation["accuracy"] == pytest.approx(0.2)
    values = summary.to_json()
    assert json.loads(json.dumps(values)) == values


def test_a_member_alone_has_no_deviation():
    summary = SeedSummary.collect({0: report(0.5, 0.25)})
    assert summary.deviation["accuracy"] is None
    lines = summary.table(ClassificationReport).splitlines()
    assert lines[1] == "accuracy  0.500 +/- -      (0.500)"


def test_the_table_has_a_line_a_figure():
    summary = SeedSummary.collect({3: report(0.5, 0.1), 4: report(0.7, 0.2)})
    assert summary.table(ClassificationReport).splitlines() == [
        "seeds 3, 4: mean, standard deviation, each",
        "accuracy  0.600 +/- 0.141  (0.500 0.700)",
        "macro F1  0.150 +/- 0.071  (0.100 0.200)",
        "F1 a      0.150 +/- 0.071  (0.100 0.200)",
    ]
