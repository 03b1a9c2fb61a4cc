"""The answers of a classifier: from tensors of the serving model to columns and lines."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from apps.pages.recording import Segment
from data.errors import UserError, did_you_mean
from data.formats.subtitles import to_seconds
from data.messages import printable
from models.portable.rows import LABEL_SEPARATOR, label_row

_CHOSEN = "→ "
_SCORE = "score_"
# Names of classes that nobody has to look at.
_UNREMARKABLE = {"clean", "ham", "neither", "neutral", "no", "none", "normal", "ok", "other"}


@dataclass(frozen=True)
class Classification:
    """The answer of a classifier to a text.

    Attributes:
        text: what was classified.
        labels: the classes that the text gets: one, or any number of them.
        scores: the probability of each class; those that the text gets first, by falling score.
        explanation: what each word adds, an `apps.tasks.classification.explanation.Explanation`, if
            it was asked for.
        problem: what kept the text from being answered, or the empty text.
    """

    text: str
    labels: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    explanation: Any = None
    problem: str = ""

    @property
    def label(self) -> str | None:
        """The class that the text gets, of several the most probable; None without one."""
        return self.labels[0] if self.labels else None

    @property
    def score(self) -> float | None:
        """The probability of `label`."""
        return self.scores[self.labels[0]] if self.labels else None

    def __str__(self) -> str:
        answer = self.explanation or format_scores(self.scores, self.labels)
        return printable(f"{self.text}\n    {self.problem or answer}")


def to_result(
    text: str, row: dict, class_names: tuple[str, ...], problem: str = ""
) -> Classification:
    """Returns the answer to a text by its output columns."""
    if problem:
        return Classification(text, problem=problem)
    labels, scores = _ranked(row, class_names)
    return Classification(text, labels, scores, row.get("explanation"))


def output_rows(answer: dict, class_names: tuple[str, ...]) -> list[dict]:
    """Returns the output columns of each text of a batch.

    Args:
        answer: of `models.serving.classifier.ServingClassifier`.
        class_names: the order of the columns `score_<class>`.
    """
    # Python's own numbers: those of NumPy take several times as long, one by one.
    names = {name.encode(): name for name in class_names}
    classes, scores, predicted = (
        answer[name].numpy().tolist() for name in ("classes", "scores", "predicted")
    )
    return [
        label_row([names[each] for each in row], shares, given, class_names)
        for row, shares, given in zip(classes, scores, predicted, strict=True)
    ]


def empty_row(class_names: tuple[str, ...]) -> dict:
    """Returns the output columns of a row that could not be answered."""
    names = ["predicted_label", "predicted_score", *(f"score_{name}" for name in class_names)]
    return dict.fromkeys(names)


def choose_flagged(columns: Iterable[str], wanted: Collection[str] = ()) -> tuple[str, ...]:
    """Chooses the classes that somebody should look at.

    Args:
        columns: names of the output columns.
        wanted: the classes; empty for all whose names do not say that nothing is the matter.

    Raises:
        UserError: the model has no such class.
    """
    names = [name.removeprefix(_SCORE) for name in columns if name.startswith(_SCORE)]
    for name in wanted:
        if name not in names:
            raise UserError(
                f"no class {name!r}. The model has: {', '.join(names)}. Check --flag"
                f"{did_you_mean(name, names)}"
            )
    return tuple(
        name for name in names if name in wanted or not (wanted or name.lower() in _UNREMARKABLE)
    )


def flags_of(row: dict, flagged: Collection[str]) -> dict[str, float]:
    """Returns the scores of the flagged classes that a text gets, the highest first.

    Args:
        row: its output columns; those of a text without an answer are empty.
        flagged: the classes that somebody should look at.
    """
    given = (row["predicted_label"] or "").split(LABEL_SEPARATOR)
    found = {name: row[_SCORE + name] for name in given if name in flagged}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def flag_text(text: str, row: dict, flagged: Collection[str]) -> str:
    """Returns a text, after the flagged classes that it gets: `[hate_speech 0.93] text`."""
    marks = ", ".join(f"{name} {score:.2f}" for name, score in flags_of(row, flagged).items())
    return f"[{marks}] {text}" if marks else text


def to_segment(row: dict, column: str, flagged: Collection[str]) -> Segment:
    """Returns what the page of a recording shows of a row with its answer.

    Args:
        row: with the columns `start`, `end`, and `recognition_confidence` if something heard it.
        column: of the text.
        flagged: the classes that somebody should look at.
    """
    return Segment(
        to_seconds(row.get("start")),
        to_seconds(row.get("end")),
        str(row.get(column) or ""),
        row["predicted_label"],
        {name: row[_SCORE + name] for name in flagged},
        [*flags_of(row, flagged)],
        row.get("recognition_confidence"),
    )


def describe_row(row: dict, class_names: tuple[str, ...]) -> str:
    """Formats an answer: the classes that the text gets, then the others, each by falling score."""
    labels, scores = _ranked(row, class_names)
    return format_scores(scores, labels)


def format_scores(scores: dict[str, float], labels: tuple[str, ...]) -> str:
    """Formats the probability of each class, an arrow before those that the text gets. One that is
    less probable than another has passed its threshold, and says so.

    Args:
        scores: by class, in the order of the line.
        labels: the classes that the text gets.
    """
    rest = max((score for name, score in scores.items() if name not in labels), default=0.0)
    parts = []
    for name, score in scores.items():
        part = f"{name} {100 * score:.1f} %"
        if name in labels:
            part = _CHOSEN + part + (" (by its threshold)" if score < rest else "")
        parts.append(part)
    return "   ".join(parts)


def _ranked(row: dict, class_names: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, float]]:
    """Returns the classes that a text gets, and the score of each class in their order."""
    scores = {name: row[f"score_{name}"] for name in class_names}
    given = row["predicted_label"].split(LABEL_SEPARATOR)
    ranked = sorted(scores, key=lambda name: (name not in given, -scores[name]))
    return tuple(name for name in ranked if name in given), {name: scores[name] for name in ranked}
