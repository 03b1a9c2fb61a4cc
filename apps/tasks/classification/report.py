"""What a classifier is worth on a split."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from apps.pages.parts import Part, Table
from apps.tasks.classification.validation import ClassifierValidation
from data.examples.labelled import LabelledTexts
from models.classification.calibration import reliability
from models.classification.decision import Decision
from models.evaluation.classification import (
    classification_metrics,
    decision_metrics,
    main_metrics,
    metrics_table,
)
from models.evaluation.tfidf_baseline import baseline_scores

# Answers that a page shows.
_MISTAKES = 30
_DECIDED = {"accuracy": "accuracy", "macro_f1": "macro F1"}


class Mistake(NamedTuple):
    """A text with other classes than its own.

    Attributes:
        text: the text.
        true, predicted: the names of its classes, and of those that it got.
        score: the probability of what is true: that of its class or, of several labels, of the one
            that is farthest from right.
    """

    text: str
    true: str
    predicted: str
    score: float


@dataclass(frozen=True)
class ClassificationReport:
    """The metrics of a classifier, or of a baseline, on a split.

    Attributes:
        metrics: of `models.evaluation.classification.classification_metrics`, or what has its
            structure; of a classifier with what `report_decision` adds.
        mistakes: the worst answers, the worst first.
    """

    metrics: dict[str, Any]
    mistakes: tuple[Mistake, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        lines = [metrics_table(self.metrics)]
        if calibration := self.metrics.get("calibration"):
            without = self.metrics["without_thresholds"]
            thresholds = self.metrics["decision"]["thresholds"].items()
            lines += [
                textwrap.fill(
                    "decision thresholds, chosen on validation: "
                    # A class stays beside its threshold.
                    + ", ".join(f"{name}\xa0{threshold:.3f}" for name, threshold in thresholds),
                    78,
                    subsequent_indent="  ",
                    break_long_words=False,
                    break_on_hyphens=False,
                ).replace("\xa0", " ")
                + "\n  without them "
                + ", ".join(f"{title} {without[name]:.3f}" for name, title in _DECIDED.items()),
                f"calibration error of the probabilities {calibration['ece']:.3f}, scaled by "
                f"temperature {calibration['temperature']:.2f}\n"
                f"  without it {calibration['unscaled']['ece']:.3f}",
            ]
        return "\n".join(lines)

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""
        return main_metrics(self.metrics)

    def describe_worst(self) -> list[Part]:
        """Returns the worst mistakes as a table; none if there are none."""
        if not self.mistakes:
            return []
        rows = [(each.text, each.true, each.predicted, each.score) for each in self.mistakes]
        head = ("text", "true", "predicted", "score of the truth")
        return [Table(head, rows)]

    def draw(self, split: str, folder: Path) -> None:
        """Draws the confusion matrix, if a text has one class, and the reliability of a split."""
        from apps.plots import training

        if "confusion_matrix" in self.metrics:
            matrix, names = np.array(self.metrics["confusion_matrix"]), self.metrics["per_class"]
            training.confusion_matrix(matrix, tuple(names), folder / f"confusion_{split}.png")
        training.reliability(self.metrics["calibration"], folder / f"reliability_{split}.png")


def find_mistakes(
    texts: list[str], targets: np.ndarray, scores: np.ndarray, decided: np.ndarray, names: tuple
) -> tuple[Mistake, ...]:
    """Returns the worst answers: those that give least to what is true.

    Args:
        texts: of the split.
        targets: <float32>[rows, num_classes], 0 or 1.
        scores: <float32>[rows, num_classes], probabilities.
        decided: <bool>[rows, num_classes].
        names: of the classes.
    """
    truth = targets > 0.5
    right = np.where(truth, scores, 1 - scores).min(axis=1)
    if (truth.sum(axis=1) == 1).all() and (decided.sum(axis=1) == 1).all():
        right = np.where(truth, scores, 1.0).min(axis=1)
    wrong = np.flatnonzero((truth != decided).any(axis=1))
    worst = wrong[np.argsort(right[wrong], kind="stable")][:_MISTAKES]
    return tuple(
        Mistake(texts[row], _join(names, truth[row]), _join(names, decided[row]), float(right[row]))
        for row in worst.tolist()
    )


def _join(names: tuple, chosen: np.ndarray) -> str:
    return ", ".join(names[place] for place in np.flatnonzero(chosen)) or "none"


def report_decision(
    logits: np.ndarray, targets: np.ndarray, decision: Decision, class_names: tuple[str, ...]
) -> ClassificationReport:
    """Measures a classifier by its logits.

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
    metrics = {
        **report_scores(scores, targets, decision, class_names).metrics,
        "without_thresholds": decision_metrics(targets, plain.decide(scores).numpy()),
        "decision": decision.describe(class_names),
        "calibration": {"temperature": decision.temperature, **scaled, "unscaled": unscaled},
    }
    return ClassificationReport(metrics)


def report_baselines(
    train: LabelledTexts,
    validation: ClassifierValidation | None,
    examples: LabelledTexts,
    class_names: tuple[str, ...],
    multi_label: bool,
) -> dict[str, ClassificationReport]:
    """Measures linear models and returns their reports by name: as they decide by themselves, and
    with thresholds that are chosen as the classifier's are.

    Args:
        train: what they are trained on.
        validation: what their thresholds are chosen on; None for no thresholds.
        examples: what they are measured on.
        class_names: the classes.
        multi_label: whether a text may have any number of them.
    """
    reports = {}
    known_texts = [] if validation is None else validation.texts
    for name, balanced in [("tf-idf", False), ("tf-idf, balanced classes", True)]:
        texts = [*known_texts, *examples.texts]
        scores = baseline_scores(train.texts, train.targets, texts, multi_label, balanced)
        known, scores = np.split(scores, [len(known_texts)])
        plain = Decision.plain(len(class_names), multi_label)
        reports[name] = report_scores(scores, examples.targets, plain, class_names)
        if validation is not None and validation.goal != "none":
            decision = validation.fit_decision(_logits(known, multi_label))
            calibrated = decision.scores(_logits(scores, multi_label)).numpy()
            reports[f"{name}, thresholds"] = report_scores(
                calibrated, examples.targets, decision, class_names
            )
    return reports


def report_scores(
    scores: np.ndarray, targets: np.ndarray, decision: Decision, class_names: tuple[str, ...]
) -> ClassificationReport:
    """Measures a decision on scores, <float>[rows, num_classes]; the other arguments are those of
    `report_decision`."""
    decided = decision.decide(scores).numpy()
    multi_label = decision.multi_label
    return ClassificationReport(
        classification_metrics(targets, scores, decided, class_names, multi_label)
    )


def _logits(scores: np.ndarray, multi_label: bool) -> np.ndarray:
    """Returns logits whose softmax, or sigmoids, are the scores, kept from 0 and 1."""
    scores = np.clip(scores, 1e-7, 1 - 1e-7)
    odds = scores / (1 - scores) if multi_label else scores
    return np.log(odds).astype(np.float32)
