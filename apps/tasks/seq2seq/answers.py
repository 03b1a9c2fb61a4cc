"""The answers of a model that writes texts: from its tensors to columns and lines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from apps.tasks.n_best import empty_columns, n_best_rows, read_n_best
from apps.tasks.seq2seq.alignment import Alignment, Highlights, align_words
from apps.tasks.seq2seq.config import Seq2SeqPredictOptions
from data.messages import printable


class Written:
    """What the answers of all applications show: a text, and others with their scores."""

    # The name of the column that a class of answers has.
    column: ClassVar[str]

    def __str__(self) -> str:
        known: Any = self
        lines = [known.problem or getattr(self, self.column)]
        lines += [f"{score:7.3f}  {text}" for text, score in known.others]
        for name in ("alignment", "highlights"):
            shown = getattr(self, name, None)
            lines += [shown.format()] if shown else []
        return printable("\n".join(lines))


@dataclass(frozen=True)
class Translation(Written):
    """The answer of a translator to a text.

    Attributes:
        text: what was translated.
        translation: the best one.
        score: its log-probability with the penalties of the search.
        others: further translations with their scores, if several were asked for.
        alignment: which words the translation looked at, if it was asked for.
        highlights: which words of the text were copied, if it was asked for.
        problem: what kept the text from being answered, or the empty text.
    """

    column: ClassVar[str] = "translation"

    text: str
    translation: str = ""
    score: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    alignment: Alignment | None = None
    highlights: Highlights | None = None
    problem: str = ""


@dataclass(frozen=True)
class Summary(Written):
    """The answer of a summarizer to a text.

    Attributes:
        text: what was summarized.
        summary: the best one.
        score, others, alignment, highlights, problem: as those of a `Translation`.
    """

    column: ClassVar[str] = "summary"

    text: str
    summary: str = ""
    score: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    alignment: Alignment | None = None
    highlights: Highlights | None = None
    problem: str = ""


# What an answer says of single words, by the option that asks for it.
_ON_WORDS: dict[str, Callable[[Alignment], Any]] = {
    "alignment": lambda alignment: alignment,
    "highlights": Alignment.copied_words,
}
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
    best, *others = read_n_best(column, row)
    return result(
        text,
        *best,
        tuple((written, score) for written, score in others if score is not None),
        row.get("alignment"),
        row.get("highlights"),
    )


def output_rows(
    column: str, answers: str, answer: dict, options: Seq2SeqPredictOptions
) -> list[dict]:
    """Returns the output columns of each text of a batch.

    Args:
        column: what is written, the name of its column.
        answers: the name of its tensor.
        answer: of `models.serving.translator.ServingTranslator`, with or without attention, the
            best of each text or several.
        options: what is said of the answers.
    """
    rows = n_best_rows(column, *(answer[name].numpy() for name in (answers, "scores")))
    if "attention" in answer:
        names = ("source_tokens", "target_tokens", "attention")
        copied = answer["copied"].numpy() if "copied" in answer else [None] * len(rows)
        parts = zip(rows, *(answer[name].numpy() for name in names), copied, strict=True)
        for row, source, target, weights, shares in parts:
            source, target = ([t.decode() for t in tokens if t] for tokens in (source, target))
            weights = weights[: len(target), : len(source)]
            found = align_words(source, target, weights, shares)
            row |= {name: part(found) for name, part in _ON_WORDS.items() if vars(options)[name]}
    return rows


def empty_row(column: str, options: Seq2SeqPredictOptions) -> dict:
    """Returns the output columns of a row that could not be answered."""
    found = empty_columns(column, options.n_best)
    return {**found, **{name: None for name in _ON_WORDS if vars(options)[name]}}


def format_row(column: str, row: dict) -> str:
    """Formats an answer for the terminal: the words of the source that an answer looked at, or the
    scores of several answers."""
    if on_words := [row[name] for name in _ON_WORDS if row.get(name) is not None]:
        lines = [each.format() for each in on_words]
        return "\n".join([row[column], *lines])
    found = read_n_best(column, row)
    if len(found) == 1:
        return row[column]
    return "\n".join(f"{score:7.3f}  {text}" for text, score in found if score is not None)
