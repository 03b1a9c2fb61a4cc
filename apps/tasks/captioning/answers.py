"""The answers of a captioner: from tensors of the serving model to columns and lines."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.errors import UserError
from data.formats.record import RichCell
from data.messages import printable

# What stands in a folder of pictures; a file that is named itself may be called anything.
_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm"}
_END = "<end>"


@dataclass(frozen=True)
class AttentionMap(RichCell):
    """Where a captioner looked while it wrote each token.

    Attributes:
        tokens: of the caption, without its end.
        weights: <float>[tokens, rows, columns], over the places of the square in the middle of the
            picture; they sum to 1 for each token, or are all 0 without attention.
        picture: where it lies.
    """

    tokens: list[str]
    weights: np.ndarray
    picture: str = ""

    def to_cell(self) -> str:
        """Returns each token with the row and the column that it looked at most."""
        places = [np.unravel_index(each.argmax(), each.shape) for each in self.weights]
        return " ".join(
            f"{token}={row},{column}"
            for token, (row, column) in zip(self.tokens, places, strict=True)
        )

    def to_json(self) -> dict:
        """Returns the tokens and their weights."""
        return {"tokens": self.tokens, "weights": np.round(self.weights, 4).tolist()}


@dataclass(frozen=True)
class PictureCaption:
    """The answer of a captioner to a picture.

    Attributes:
        picture: its path.
        caption: the best one.
        score: its log-probability with the penalty of the search.
        others: further captions with their scores, if several were asked for.
        attention: where it looked, if that was asked for.
        problem: what kept the picture from being described, or the empty text.
    """

    picture: str
    caption: str = ""
    score: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    attention: AttentionMap | None = None
    problem: str = ""

    def __str__(self) -> str:
        lines = [self.problem or self.caption]
        lines += [f"{score:7.3f}  {caption}" for caption, score in self.others]
        return printable("\n".join(lines))


def find_pictures(paths: Iterable[str]) -> list[str]:
    """Returns the pictures that paths mean: a file itself, and those in a folder, by their names.

    Raises:
        UserError: a folder has none.
    """
    found = []
    for path in paths:
        if not os.path.isdir(path):
            found.append(path)
            continue
        inside = sorted(each for each in Path(path).rglob("*") if each.suffix.lower() in _SUFFIXES)
        if not inside:
            raise UserError(f"no pictures in the folder {path!r}. Check the path")
        found += map(str, inside)
    return found


def to_result(text: str, row: dict, problem: str = "") -> PictureCaption:
    """Returns the answer to a picture by its output columns."""
    problem = problem or row["problem"]
    if problem:
        return PictureCaption(text, problem=problem)
    others = [(row[f"caption{end}"], row[f"score{end}"]) for end in _endings(row)[1:]]
    return PictureCaption(
        text,
        row["caption"],
        row["score"],
        tuple((caption, score) for caption, score in others if score is not None),
        row.get("attention"),
    )


def output_rows(answer: dict) -> list[dict]:
    """Returns the output columns of each picture of a batch.

    Args:
        answer: of `models.serving.captioner.ServingCaptioner`, with or without attention, the best
            of each picture or several.
    """
    captions, scores = (answer[name].numpy() for name in ("captions", "scores"))
    if captions.ndim == 1:
        captions, scores = captions[:, None], scores[:, None]
    rows = [_row(texts, values) for texts, values in zip(captions, scores, strict=True)]
    if "attention" in answer:
        parts = zip(rows, answer["tokens"].numpy(), answer["attention"].numpy(), strict=True)
        for row, tokens, weights in parts:
            shown = [token.decode().strip() for token in tokens if token]
            shown = shown[:-1] if shown[-1:] == [_END] else shown
            row["attention"] = AttentionMap(shown, weights[: len(shown)])
    return rows


def _row(captions: Iterable[bytes], scores: Iterable[float]) -> dict:
    row: dict[str, Any] = {}
    for number, (caption, score) in enumerate(zip(captions, scores, strict=True), 1):
        end = _ending(number)
        row[f"caption{end}"] = caption.decode()
        # Seven digits are all that a float32 holds.
        row[f"score{end}"] = float(f"{score:.7g}") if math.isfinite(score) else None
    return {**row, "problem": ""}


def _ending(number: int) -> str:
    return "" if number == 1 else f"_{number}"


def _endings(row: dict) -> list[str]:
    return [name.removeprefix("caption") for name in row if name.startswith("caption")]


def empty_row(n_best: int, attention: bool, problem: str = "") -> dict:
    """Returns the output columns of a picture that could not be described.

    Args:
        n_best: captions of each picture.
        attention: whether they come with their attention.
        problem: what is wrong with it.
    """
    ends = [_ending(number) for number in range(1, n_best + 1)]
    found = {f"{name}{end}": None for end in ends for name in ("caption", "score")}
    row = {**found, "problem": problem}
    return {**row, "attention": None} if attention else row


def format_row(text: str, row: dict) -> str:
    """Formats an answer for the terminal."""
    if row["problem"]:
        return f"{text}\n    {row['problem']}"
    ends = [end for end in _endings(row) if row[f"score{end}"] is not None]
    if len(ends) < 2:
        return f"{text}\n    {row['caption']}"
    return "\n".join(
        [text, *(f"{row[f'score{end}']:11.3f}  {row[f'caption{end}']}" for end in ends)]
    )
