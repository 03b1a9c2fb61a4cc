"""Metrics of classifiers, computed by scikit-learn, with bootstrap intervals.

scikit-learn is imported by what computes: a command that only answers does not wait for it.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

# Percentile bootstrap (Efron & Tibshirani 1993): resamples, and the two ends of the interval.
RESAMPLES = 1000
_PERCENTILES = (2.5, 97.5)
_RESAMPLES_AT_ONCE = 50


def classification_metrics(
    targets: np.ndarray,
    scores: np.ndarray,
    predicted: np.ndarray,
    class_names: tuple[str, ...],
    multi_label: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """Computes all metrics of one split, as plain numbers for JSON.

    Args:
        targets: <float32>[rows, num_classes], 0 or 1.
        scores: <float32>[rows, num_classes], probabilities.
        predicted: <bool>[rows, num_classes], the predicted classes of each row.
        class_names: names of the columns.
        multi_label: whether a row may have any number of classes.
        seed: of the bootstrap.

    Returns:
        `rows`, `accuracy` (of whole rows), `macro_f1`, `weighted_f1`, `per_class` by name
        (`precision`, `recall`, `f1`, `support`, `roc_auc`, `average_precision`), `roc_auc` and
        `average_precision` (macro), `intervals` (95 %, by name) and, for single labels,
        `confusion_matrix` (rows: true class, columns: predicted). A metric that the split does
        not define (the ranking of a class that never or always occurs) is None.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    truth = targets > 0.5
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, average=None, zero_division=0
    )
    ranking = _rankings(truth, scores)
    report = {
        "rows": len(truth),
        "accuracy": float((truth == predicted).all(axis=1).mean()),
        "macro_f1": float(f1.mean()),
        "weighted_f1": float(np.average(f1, weights=support)) if support.any() else 0.0,
        "roc_auc": _mean(auc for auc, _ in ranking),
        "average_precision": _mean(precision for _, precision in ranking),
        "per_class": {
            name: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
                "roc_auc": ranking[i][0],
                "average_precision": ranking[i][1],
            }
            for i, name in enumerate(class_names)
        },
        "intervals": _intervals(truth, predicted, class_names, seed),
    }
    if not multi_label:
        labels = range(len(class_names))
        matrix = confusion_matrix(truth.argmax(axis=1), predicted.argmax(axis=1), labels=labels)
        report["confusion_matrix"] = matrix.tolist()
    return report


def decision_metrics(targets: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Computes the metrics of predicted classes alone: `accuracy` of whole rows, and `macro_f1`.

    Arguments as in `classification_metrics`.
    """
    from sklearn.metrics import f1_score

    truth = targets > 0.5
    return {
        "accuracy": float((predicted == truth).all(axis=1).mean()),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
    }


def mean_average_precision(targets: np.ndarray, scores: np.ndarray) -> float:
    """Computes the mean over classes of the average precision; 0 if it is not defined.

    It needs no thresholds, so it is the smoothest metric to choose an epoch by if there are enough
    rows: the ranking of a few is soon perfect, whatever their scores. Arguments as in
    `classification_metrics`.
    """
    return _mean(precision for _, precision in _rankings(targets > 0.5, scores)) or 0.0


def _rankings(truth: np.ndarray, scores: np.ndarray) -> list[tuple[float | None, float | None]]:
    return [_ranking(truth[:, i], scores[:, i]) for i in range(truth.shape[1])]


def _ranking(truth: np.ndarray, scores: np.ndarray) -> tuple[float | None, float | None]:
    """Returns ROC-AUC and average precision of one class against the rest."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    if truth.all() or not truth.any():
        return None, None
    return float(roc_auc_score(truth, scores)), float(average_precision_score(truth, scores))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _intervals(
    truth: np.ndarray, predicted: np.ndarray, class_names: tuple[str, ...], seed: int
) -> dict[str, list[float]]:
    """Returns 95 % intervals; a resample is one weight per row, so one matrix product counts it."""
    generator = np.random.default_rng(seed)
    rows = len(truth)
    hits = (truth & predicted).astype(np.float64)
    right = (truth == predicted).all(axis=1).astype(np.float64)
    counted = np.concatenate([hits, truth, predicted, right[:, np.newaxis]], axis=1)
    sums = np.concatenate(
        [
            generator.multinomial(rows, np.full(rows, 1 / rows), _RESAMPLES_AT_ONCE) @ counted
            for _ in range(0, RESAMPLES, _RESAMPLES_AT_ONCE)
        ]
    )
    classes = len(class_names)
    hits, support, guesses = (sums[:, i * classes : (i + 1) * classes] for i in range(3))
    f1 = 2 * hits / np.maximum(support + guesses, 1)
    samples = {
        "accuracy": sums[:, -1] / rows,
        "macro_f1": f1.mean(axis=1),
        "weighted_f1": (f1 * support).sum(axis=1) / np.maximum(support.sum(axis=1), 1),
        **{f"f1 {name}": f1[:, i] for i, name in enumerate(class_names)},
    }
    return {
        name: [float(end) for end in np.percentile(values, _PERCENTILES)]
        for name, values in samples.items()
    }


def main_metrics(report: dict[str, Any]) -> dict[str, float]:
    """Returns the metrics to compare models by, by their titles.

    Args:
        report: from `classification_metrics`, or anything of its structure.
    """
    by_class = {f"F1 {name}": row["f1"] for name, row in report["per_class"].items()}
    return {"accuracy": report["accuracy"], "macro F1": report["macro_f1"], **by_class}


def metrics_table(report: dict[str, Any]) -> str:
    """Formats the metrics of one split for the terminal; arguments as `main_metrics`."""
    width = max(12, *(len(name) for name in report["per_class"]))
    # 61 columns beside the names: a terminal of 80 has room for names of 19 letters.
    lines = [f"{'':{width}}  precision recall    F1 95 % interval support ROC-AUC    AP"]
    for name, row in report["per_class"].items():
        low, high = report["intervals"][f"f1 {name}"]
        lines.append(
            f"{name:{width}}  {row['precision']:9.3f} {row['recall']:6.3f} {row['f1']:5.3f} "
            f"{low:.3f} - {high:.3f} {row['support']:7d} {_format(row['roc_auc']):>7} "
            f"{_format(row['average_precision']):>5}"
        )
    for title, name in [
        ("accuracy", "accuracy"),
        ("macro F1", "macro_f1"),
        ("weighted F1", "weighted_f1"),
    ]:
        low, high = report["intervals"][name]
        lines.append(
            f"{title:{width}}  {'':9} {'':6} {report[name]:5.3f} {low:.3f} - {high:.3f} "
            f"{report['rows']:7d}"
        )
    return "\n".join(lines)


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
