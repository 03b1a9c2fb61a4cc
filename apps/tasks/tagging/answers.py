"""The answers of a tagger: from tensors of the serving model to columns."""

from dataclasses import dataclass

import numpy as np

from apps.tasks.tagging.spans_on_screen import mark_spans
from data.examples.tags import Span
from models.portable.rows import entity_row


@dataclass(frozen=True)
class Entity:
    """An entity in a text.

    Attributes:
        start, end: its place, in characters: `text[start:end]`.
        label: its type, such as `PER`.
        score: the probability of its least probable token.
        text: the entity.
    """

    start: int
    end: int
    label: str
    score: float
    text: str

    def __str__(self) -> str:
        return f"{self.text} ({self.label} {100 * self.score:.0f} %)"


@dataclass(frozen=True)
class TaggedText:
    """The answer of a tagger to a text.

    Attributes:
        text: what was tagged.
        entities: in the order of the text.
        problem: what kept the text from being answered, or the empty text.
    """

    text: str
    entities: tuple[Entity, ...] = ()
    problem: str = ""

    def __str__(self) -> str:
        spans = [
            {"start": each.start, "end": each.end, "type": each.label, "score": each.score}
            for each in self.entities
        ]
        return self.problem or mark_spans(self.text, spans, coloured=False)


def to_result(text: str, row: dict, problem: str = "") -> TaggedText:
    """Returns the answer to a text by its output columns."""
    entities = [
        Entity(each["start"], each["end"], each["type"], each["score"], each["text"])
        for each in row["entities"] or ()
    ]
    return TaggedText(text, tuple(entities), problem)


def output_rows(answer: dict) -> list[dict]:
    """Returns the output columns of each text of a batch, `entities` and `tagged_tokens`: lists of
    dicts with `start` and `end`.

    Args:
        answer: of `models.serving.tagger.ServingTagger`.
    """
    names = ("tokens", "tags", "starts", "ends", "scores")
    rows = zip(*(answer[name].numpy() for name in names), strict=True)
    return [_row(*row) for row in rows]


def empty_row() -> dict:
    """Returns the output columns of a row that could not be answered."""
    return {"entities": None, "tagged_tokens": []}


def to_spans(entities: list[dict]) -> list[Span]:
    """Returns the spans of the entities of a row."""
    return [Span(entity["start"], entity["end"], entity["type"]) for entity in entities]


def _row(
    tokens: np.ndarray,
    tags: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    scores: np.ndarray,
) -> dict:
    size = int(np.count_nonzero(tags != b""))
    strings, names_of_tags = (
        [each.decode() for each in column[:size]] for column in (tokens, tags)
    )
    return entity_row(
        strings, names_of_tags, starts[:size].tolist(), ends[:size].tolist(), scores[:size]
    )
