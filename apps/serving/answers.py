"""Answers to a list of texts."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from apps.serving.answering import Answering, Direct, Shown

if TYPE_CHECKING:
    import tensorflow as tf

# As many texts at once as this, or fewer long ones: memory does not grow with their length.
MOST_AT_ONCE = 256
_CHARACTERS = 2**18
# About the tokens of a text. By characters, a batch is as wide as the text of the shortest words.
_TOKEN = re.compile(r"\w+|[^\w\s]")


# Returns the output columns of each text of a batch.
AnswerBatch = Callable[[list[str]], list[dict]]


def answer(task: Answering | Direct, texts: list[str]) -> list[dict]:
    """Returns the output columns of each text; all texts are one batch."""
    return batch_answerer(task)(texts)


def batch_answerer(task: Answering | Direct) -> AnswerBatch:
    """Returns what answers a batch of texts; where that is a graph, it is made now."""
    if isinstance(task, Direct):
        return task.answer
    return partial(answer_with, task, task.serving().serve)


def answer_with(
    task: Answering, serve: "Callable[[tf.Tensor], dict[str, tf.Tensor]]", texts: list[str]
) -> list[dict]:
    """Returns the output columns of each text by a serving model that was made before; all texts
    are one batch."""
    return task.output_rows(serve(encode(texts)))


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
    return in_batches(partial(answer_with, task, serve), texts)


def in_batches(answer_batch: AnswerBatch, texts: list[str]) -> list[dict]:
    """Returns the output columns of each text, as many as memory holds; texts of like length are a
    batch."""
    rows: list[dict] = [{}] * len(texts)
    for places in cut_batches(texts):
        put_rows(rows, places, answer_batch([texts[i] for i in places]))
    return rows


def cut_batches(texts: list[str]) -> list[list[int]]:
    """Returns the places of the texts of each batch, texts of like length together."""
    lengths = [(len(_TOKEN.findall(text)), len(text)) for text in texts]
    order = sorted(range(len(texts)), key=lengths.__getitem__, reverse=True)
    batches = []
    while order:
        size = _batch_size(max(len(texts[i]) for i in order[:MOST_AT_ONCE]))
        batch, order = order[:size], order[size:]
        # What is drawn by chance depends on the place in the batch.
        batches.append(sorted(batch, key=lambda i: (-len(texts[i]), i)))
    return batches


def put_rows(rows: list[dict], places: list[int], answers: list[dict]) -> None:
    """Puts the answers of a batch in the places of its texts."""
    for i, row in zip(places, answers, strict=True):
        rows[i] = row


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


def _batch_size(longest: int) -> int:
    """Returns a power of two: graphs that are compiled for each size then meet few of them."""
    return min(MOST_AT_ONCE, 1 << (max(1, _CHARACTERS // max(1, longest)).bit_length() - 1))
