"""Answers to a list of texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from apps.serving.answering import Answering, Direct, Shown
from apps.serving.windows import (
    AnswerBatch,
    AnswerWindows,
    answer_in_threads,
    answer_one_by_one,
)

if TYPE_CHECKING:
    import tensorflow as tf


def answer(task: Answering | Direct, texts: list[str]) -> list[dict]:
    """Returns the output columns of each text; all texts are one batch."""
    return batch_answerer(task)(texts)


def batch_answerer(task: Answering | Direct) -> AnswerBatch:
    """Returns what answers a batch of texts; where that is a graph, it is made now."""
    if isinstance(task, Direct):
        return task.answer
    return GraphAnswerer(task, task.serving().serve)


@dataclass(frozen=True)
class GraphAnswerer:
    """Answers a batch of texts by a graph that was made before.

    Attributes:
        task: it has the output columns.
        serve: of its serving model.
    """

    task: Answering
    serve: "Callable[[tf.Tensor], dict[str, tf.Tensor]]"

    def __call__(self, texts: list[str]) -> list[dict]:
        """Returns the output columns of each text."""
        return self.task.output_rows(self.compute(texts))

    def compute(self, texts: list[str]) -> "dict[str, tf.Tensor]":
        """Returns what the graph answers; several threads may ask at once."""
        return self.serve(encode(texts))


def answer_by_length(
    task: Answering,
    serve: "Callable[[tf.Tensor], dict[str, tf.Tensor]]",
    texts: list[str],
) -> list[dict]:
    """Returns the output columns of each text; texts of like length are a batch.

    Args:
        task: it has the columns.
        serve: of its serving model, which is made once.
        texts: as many as memory holds.
    """
    return in_batches(GraphAnswerer(task, serve), texts)


def in_batches(answer_batch: AnswerBatch, texts: list[str]) -> list[dict]:
    """Returns the output columns of each text, as many as memory holds; texts of like length are a
    batch."""
    [rows] = window_answerer(answer_batch)([texts])
    return rows


def window_answerer(answer_batch: AnswerBatch) -> AnswerWindows:
    """Returns what answers windows of texts by what answers a batch: batches of a graph side by
    side, others one after the other."""
    if isinstance(answer_batch, GraphAnswerer):
        return partial(answer_in_threads, answer_batch.compute, answer_batch.task.output_rows)
    return partial(map, partial(answer_one_by_one, answer_batch))


def answer_all(
    task: Shown,
    texts: Sequence[object],
    answer_texts: Callable[[list[str]], list[dict]],
    empty: bool = False,
) -> list[tuple[dict, str]]:
    """Returns the output columns of each text, and what kept it from being answered.

    Args:
        task: it has the columns.
        texts: what is no text, or an empty one, gets an empty row and a problem.
        answer_texts: returns the output columns of texts.
        empty: whether empty texts are answered, too.
    """
    problems = ["" if empty and text == "" else describe_problem(text) for text in texts]
    known = [str(text) for text, problem in zip(texts, problems, strict=True) if not problem]
    rows = iter(answer_texts(known) if known else [])
    return [(task.empty_row() if problem else next(rows), problem) for problem in problems]


def describe_problem(text: object) -> str:
    """Returns what keeps a text from being answered, or the empty text."""
    if not isinstance(text, str):
        return f"not text but {repr(text)[:60]}"
    return "" if text.strip() else "an empty text"


def encode(texts: list[str]) -> "tf.Tensor":
    """Returns <string>[batch]; bytes that were not UTF-8 are given back as they were."""
    import tensorflow as tf

    return tf.constant([text.encode("utf-8", "surrogateescape") for text in texts], tf.string)
