"""The answers of a translator: from tensors of the serving model to columns and lines."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apps.tasks.seq2seq.alignment import Alignment, align_words
from apps.tasks.seq2seq.config import TranslationPredictOptions
from data.messages import printable


@dataclass(frozen=True)
class Translation:
    """The answer of a translator to a text.

    Attributes:
        text: what was translated.
        translation: the best one.
        score: its log-probability with the penalties of the search.
        others: further translations with their scores, if several were asked for.
        alignment: which words the translation looked at, if it was asked for.
        problem: what kept the text from being answered, or the empty text.
    """

    text: str
    translation: str = ""
    score: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    alignment: Alignment | None = None
    problem: str = ""

    def __str__(self) -> str:
        lines = [self.problem or self.translation]
        lines += [f"{score:7.3f}  {translation}" for translation, score in self.others]
        lines += [self.alignment.format()] if self.alignment else []
        return printable("\n".join(lines))


def to_result(text: str, row: dict, problem: str = "") -> Translation:
    """Returns the answer to a text by its output columns."""
    if problem:
        return Translation(text, problem=problem)
    ends = [name.removeprefix("translation") for name in row if name.startswith("translation_")]
    others = [(row[f"translation{end}"], row[f"score{end}"]) for end in ends]
    return Translation(
        text,
        row["translation"],
        row["score"],
        tuple((translation, score) for translation, score in others if score is not None),
        row.get("alignment"),
    )


def output_rows(answer: dict) -> list[dict]:
    """Returns the output columns of each text of a batch.

    Args:
        answer: of `models.serving.translator.ServingTranslator`, with or without attention, the
            best of each text or several.
    """
    translations, scores = (answer[name].numpy() for name in ("translations", "scores"))
    if translations.ndim == 1:
        translations, scores = translations[:, None], scores[:, None]
    rows = [_row(texts, values) for texts, values in zip(translations, scores, strict=True)]
    if "attention" in answer:
        names = ("source_tokens", "target_tokens", "attention")
        parts = zip(rows, *(answer[name].numpy() for name in names), strict=True)
        for row, source, target, weights in parts:
            source, target = ([t.decode() for t in tokens if t] for tokens in (source, target))
            row["alignment"] = align_words(source, target, weights[: len(target), : len(source)])
    return rows


def _row(texts: Iterable[bytes], scores: Iterable[float]) -> dict:
    row: dict[str, Any] = {}
    for number, (text, score) in enumerate(zip(texts, scores, strict=True), 1):
        end = _ending(number)
        row[f"translation{end}"] = text.decode()
        # Seven digits are all that a float32 holds.
        row[f"score{end}"] = float(f"{score:.7g}") if math.isfinite(score) else None
    return row


def _ending(number: int) -> str:
    return "" if number == 1 else f"_{number}"


def empty_row(options: TranslationPredictOptions) -> dict:
    """Returns the output columns of a row that could not be answered."""
    ends = [_ending(number) for number in range(1, options.n_best + 1)]
    found = {f"{name}{end}": None for end in ends for name in ("translation", "score")}
    return {**found, "alignment": None} if options.alignment else found


def format_row(row: dict) -> str:
    """Formats an answer for the terminal: the words of the source that a translation looked at, or
    the scores of several translations."""
    if row.get("alignment") is not None:
        return f"{row['translation']}\n{row['alignment'].format()}"
    if "translation_2" not in row:
        return row["translation"]
    ends = [name.removeprefix("translation") for name in row if name.startswith("translation")]
    found = [end for end in ends if row[f"score{end}"] is not None]
    return "\n".join(f"{row[f'score{end}']:7.3f}  {row[f'translation{end}']}" for end in found)
