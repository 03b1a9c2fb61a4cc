"""The answers of a tagger: from tensors of the serving model to columns."""

from dataclasses import dataclass

import numpy as np

from apps.tasks.tagging.spans_on_screen import mark_spans
from data.examples.tags import Span, find_entities


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
    # Seven digits are all that a probability of float32 holds.
    shares = [round(float(score), 7) for score in scores[:size]]
    begin, end = starts[:size].tolist(), ends[:size].tolist()
    columns = zip(strings, names_of_tags, begin, end, shares, strict=True)
    names = ("token", "tag", "start", "end", "score")
    entities = [
        {
            "start": begin[first],
            "end": end[after - 1],
            "type": kind,
            # An entity is as confident as its least confident token.
            "score": min(shares[first:after]),
            "text": _join_tokens(strings[first:after], begin[first:after], end[first:after]),
        }
        for first, after, kind in find_entities(names_of_tags)
    ]
    tagged = [dict(zip(names, column, strict=True)) for column in columns]
    return {"entities": entities, "tagged_tokens": tagged}


def _join_tokens(tokens: list[str], starts: list[int], ends: list[int]) -> str:
    """Tokens with as much white space between them as there is in their text."""
    gaps = [start - end for start, end in zip(starts[1:], ends, strict=False)]
    return tokens[0] + "".join(
        " " * gap + token for gap, token in zip(gaps, tokens[1:], strict=True)
    )
