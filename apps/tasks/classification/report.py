"""What a classifier is worth on a split: all figures, their table and their pictures."""

from pathlib import Path

import numpy as np

from apps.plots import training
from apps.tasks.classification.validation import ClassifierValidation
from data.examples.labelled import LabelledTexts
from models.classification.calibration import reliability
from models.classification.decision import Decision
from models.evaluation.classification import classification_metrics, decided_figures, metrics_table
from models.evaluation.tfidf_baseline import baseline_scores

_DECIDED = {"accuracy": "accuracy", "macro_f1": "macro F1"}


def report(
    logits: np.ndarray, targets: np.ndarray, decision: Decision, class_names: tuple[str, ...]
) -> dict:
    """All figures of a split.

    Args:
        logits: <float32>[rows, num_classes].
        targets: <float32>[rows, num_classes], 0 or 1.
        decision: of the model.
        class_names: names of the columns.

    Returns:
        `models.evaluation.classification.classification_metrics`, with `decision`, `calibration` as
        scaled and `unscaled` (`models.classification.calibration.reliability`), and accuracy and
        macro-F1 `without_thresholds`.
    """
    scores = decision.scores(logits).numpy()
    plain = Decision.plain(len(class_names), decision.multi_label)
    scaled = reliability(logits, targets, decision.multi_label, decision.temperature)
    unscaled = reliability(logits, targets, decision.multi_label, 1.0)
    return {
        **decided_metrics(scores, targets, decision, class_names),
        "without_thresholds": decided_figures(targets, plain.decided(scores).numpy()),
        "decision": decision.describe(class_names),
        "calibration": {"temperature": decision.temperature, **scaled, "unscaled": unscaled},
    }


def of_baselines(
    train: LabelledTexts,
    held_out: ClassifierValidation | None,
    examples: LabelledTexts,
    class_names: tuple[str, ...],
    multi_label: bool,
) -> dict[str, dict]:
    """`models.evaluation.classification.classification_metrics` of linear models, by their names:
    as they decide by themselves, and with thresholds that are chosen as the classifier's are.

    Args:
        train: what they are trained on.
        held_out: what their thresholds are chosen on; None for no thresholds.
        examples: what they are measured on.
        class_names: the classes.
        multi_label: whether a text may have any number of them.
    """
    reports = {}
    known_texts = [] if held_out is None else held_out.texts
    for name, balanced in [("tf-idf", False), ("tf-idf, balanced classes", True)]:
        texts = [*known_texts, *examples.texts]
        scores = baseline_scores(train.texts, train.targets, texts, multi_label, balanced)
        known, scores = np.split(scores, [len(known_texts)])
        plain = Decision.plain(len(class_names), multi_label)
        reports[name] = decided_metrics(scores, examples.targets, plain, class_names)
        if held_out is not None and held_out.goal != "none":
            decision = held_out.fitted(_logits(known, multi_label))
            calibrated = decision.scores(_logits(scores, multi_label)).numpy()
            reports[f"{name}, thresholds"] = decided_metrics(
                calibrated, examples.targets, decision, class_names
            )
    return reports


def decided_metrics(
    scores: np.ndarray, targets: np.ndarray, decision: Decision, class_names: tuple[str, ...]
) -> dict:
    """`models.evaluation.classification.classification_metrics` of a decision on scores,
    <float>[rows, num_classes]; the other arguments are those of `report`."""
    decided = decision.decided(scores).numpy()
    return classification_metrics(targets, scores, decided, class_names, decision.multi_label)


def _logits(scores: np.ndarray, multi_label: bool) -> np.ndarray:
    """What the softmax, or the sigmoids, of the result are: the scores, kept from 0 and 1."""
    scores = np.clip(scores, 1e-7, 1 - 1e-7)
    odds = scores / (1 - scores) if multi_label else scores
    return np.log(odds).astype(np.float32)


def table(report: dict) -> str:
    """The figures of a split, for the terminal."""
    lines = [metrics_table(report)]
    if calibration := report.get("calibration"):
        without = report["without_thresholds"]
        thresholds = report["decision"]["thresholds"].items()
        lines += [
            "thresholds: "
            + ", ".join(f"{name} {threshold:.3f}" for name, threshold in thresholds)
            + "; without them "
            + ", ".join(f"{title} {without[name]:.3f}" for name, title in _DECIDED.items()),
            f"calibration error {calibration['ece']:.3f} at temperature "
            f"{calibration['temperature']:.2f}; {calibration['unscaled']['ece']:.3f} without",
        ]
    return "\n".join(lines)


def draw(split: str, report: dict, class_names: tuple[str, ...], folder: Path) -> None:
    """The pictures of a split."""
    if "confusion_matrix" in report:
        matrix = np.array(report["confusion_matrix"])
        training.confusion_matrix(matrix, class_names, folder / f"confusion_{split}.png")
    training.reliability(report["calibration"], folder / f"reliability_{split}.png")
