"""The answers of a model that writes texts: from its tensors to columns and lines."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from apps.tasks.seq2seq.alignment import Alignment, align_words
from apps.tasks.seq2seq.config import Seq2SeqPredictOptions
from data.messages import printable


class _Written:
    """What the answers of all applications show."""

    # The name of the column that a class of answers has.
    column: ClassVar[str]

    def __str__(self) -> str:
        known: Any = self
        lines = [known.problem or getattr(self, self.column)]
        lines += [f"{score:7.3f}  {text}" for text, score in known.others]
        lines += [known.alignment.format()] if known.alignment else []
        return printable("\n".join(lines))


@dataclass(frozen=True)
class Translation(_Written):
    """The answer of a translator to a text.

    Attributes:
        text: what was translated.
        translation: the best one.
        score: its log-probability with the penalties of the search.
        others: further translations with their scores, if several were asked for.
        alignment: which words the translation looked at, if it was asked for.
        problem: what kept the text from being answered, or the empty text.
    """

    column: ClassVar[str] = "translation"

    text: str
    translation: str = ""
    score: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    alignment: Alignment | None = None
    problem: str = ""


@dataclass(frozen=True)
class Summary(_Written):
    """The answer of a summarizer to a text.

    Attributes:
        text: what was summarized.
        summary: the best one.
        score, others, alignment, problem: as those of a `Translation`.
    """

    column: ClassVar[str] = "summary"

    text: str
    summary: str = ""
    score: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    alignment: Alignment | None = None
    problem: str = ""


_RESULTS: dict[str, type] = {each.column: each for each in (Translation, Summary)}


def to_result(column: str, text: str, row: dict, problem: str = "") -> Any:
    """Returns the answer to a text by its output columns.

    Args:
        column: what is written, the name of its column.
        text: what was answered.
        row: the columns.
        problem: what kept it from being answered, or the empty text.
    """
    result = _RESULTS[column]
    if problem:
        return result(text, problem=problem)
    ends = [name.removeprefix(column) for name in row if name.startswith(f"{column}_")]
    others = [(row[f"{column}{end}"], row[f"score{end}"]) for end in ends]
    return result(
        text,
        row[column],
        row["score"],
        tuple((written, score) for written, score in others if score is not None),
        row.get("alignment"),
    )


def output_rows(column: str, answers: str, answer: dict) -> list[dict]:
    """Returns the output columns of each text of a batch.

    Args:
        column: what is written, the name of its column.
        answers: the name of its tensor.
        answer: of `models.serving.translator.ServingTranslator`, with or without attention, the
            best of each text or several.
    """
    written, scores = (answer[name].numpy() for name in (answers, "scores"))
    if written.ndim == 1:
        written, scores = written[:, None], scores[:, None]
    rows = [_row(column, texts, each) for texts, each in zip(written, scores, strict=True)]
    if "attention" in answer:
        names = ("source_tokens", "target_tokens", "attention")
        copied = answer["copied"].numpy() if "copied" in answer else [None] * len(rows)
        parts = zip(rows, *(answer[name].numpy() for name in names), copied, strict=True)
        for row, source, target, weights, shares in parts:
            source, target = ([t.decode() for t in tokens if t] for tokens in (source, target))
            weights = weights[: len(target), : len(source)]
            row["alignment"] = align_words(source, target, weights, shares)
    return rows


def _row(column: str, texts: Iterable[bytes], scores: Iterable[float]) -> dict:
    row: dict[str, Any] = {}
    for number, (text, score) in enumerate(zip(texts, scores, strict=True), 1):
        end = _ending(number)
        row[f"{column}{end}"] = text.decode()
        # Seven digits are all that a float32 holds.
        row[f"score{end}"] = float(f"{score:.7g}") if math.isfinite(score) else None
    return row


def _ending(number: int) -> str:
    return "" if number == 1 else f"_{number}"


def empty_row(column: str, options: Seq2SeqPredictOptions) -> dict:
    """Returns the output columns of a row that could not be answered."""
    ends = [_ending(number) for number in range(1, options.n_best + 1)]
    found = {f"{name}{end}": None for end in ends for name in (column, "score")}
    return {**found, "alignment": None} if options.alignment else found


def format_row(column: str, row: dict) -> str:
    """Formats an answer for the terminal: the words of the source that an answer looked at, or the
    scores of several answers."""
    if row.get("alignment") is not None:
        return f"{row[column]}\n{row['alignment'].format()}"
    if f"{column}_2" not in row:
        return row[column]
    ends = [name.removeprefix(column) for name in row if name.startswith(column)]
    found = [end for end in ends if row[f"score{end}"] is not None]
    return "\n".join(f"{row[f'score{end}']:7.3f}  {row[f'{column}{end}']}" for end in found)
