"""The answers of a tagger: from tensors of the serving model to columns."""

import numpy as np

from data.examples.tags import Span, find_entities


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
