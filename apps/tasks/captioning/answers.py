"""The answers of a captioner: from tensors of the serving model to columns and lines."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.tasks.n_best import empty_columns, n_best_rows, read_n_best
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
    best, *others = read_n_best("caption", row)
    return PictureCaption(
        text,
        *best,
        tuple((caption, score) for caption, score in others if score is not None),
        row.get("attention"),
    )


def output_rows(answer: dict) -> list[dict]:
    """Returns the output columns of each picture of a batch.

    Args:
        answer: of `models.serving.captioner.ServingCaptioner`, with or without attention, the best
            of each picture or several.
    """
    found = n_best_rows("caption", *(answer[name].numpy() for name in ("captions", "scores")))
    rows: list[dict[str, Any]] = [{**row, "problem": ""} for row in found]
    if "attention" in answer:
        parts = zip(rows, answer["tokens"].numpy(), answer["attention"].numpy(), strict=True)
        for row, tokens, weights in parts:
            shown = [token.decode().strip() for token in tokens if token]
            shown = shown[:-1] if shown[-1:] == [_END] else shown
            row["attention"] = AttentionMap(shown, weights[: len(shown)])
    return rows


def empty_row(n_best: int, attention: bool, problem: str = "") -> dict:
    """Returns the output columns of a picture that could not be described.

    Args:
        n_best: captions of each picture.
        attention: whether they come with their attention.
        problem: what is wrong with it.
    """
    row = {**empty_columns("caption", n_best), "problem": problem}
    return {**row, "attention": None} if attention else row


def format_row(text: str, row: dict) -> str:
    """Formats an answer for the terminal."""
    if row["problem"]:
        return f"{text}\n    {row['problem']}"
    found = [each for each in read_n_best("caption", row) if each[1] is not None]
    if len(found) < 2:
        return f"{text}\n    {row['caption']}"
    return "\n".join([text, *(f"{score:11.3f}  {caption}" for caption, score in found)])
