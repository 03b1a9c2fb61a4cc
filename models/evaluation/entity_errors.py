"""Errors of taggers: which type was taken for which, and the most frequent errors by kind."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

_MOST_FREQUENT = 10
NOTHING = "nothing"
KINDS = ("missed", "invented", "boundary", "type", "boundary and type")


class Entity(NamedTuple):
    """An entity in a split.

    Attributes:
        row: position of its text.
        first, last: positions of its first and its last token.
        kind: its type.
    """

    row: int
    first: int
    last: int
    kind: str

    def text(self, tokens: list[list[str]]) -> str:
        """Returns its tokens, joined by spaces; `tokens` are those of all texts."""
        return " ".join(tokens[self.row][self.first : self.last + 1])


Pair = tuple[Entity | None, Entity | None]


def pair_entities(wanted: list[Entity], given: list[Entity]) -> list[Pair]:
    """Pairs true and predicted entities that share tokens, first those that share most.

    Args:
        wanted: the true entities.
        given: the predicted ones.

    Returns:
        Pairs of a true and a predicted entity, with None where there is no other.
    """
    by_row: dict[int, list[Entity]] = {}
    for entity in given:
        by_row.setdefault(entity.row, []).append(entity)
    overlaps = []
    for true in wanted:
        for guess in by_row.get(true.row, ()):
            shared = min(true.last, guess.last) - max(true.first, guess.first) + 1
            if shared > 0:
                extra = max(true.last, guess.last) - min(true.first, guess.first) + 1 - shared
                overlaps.append((-shared, extra, true, guess))
    pairs: list[Pair] = []
    used = set()
    for *_, true, guess in sorted(overlaps):
        if ("true", true) not in used and ("guess", guess) not in used:
            used |= {("true", true), ("guess", guess)}
            pairs.append((true, guess))
    pairs += [(true, None) for true in wanted if ("true", true) not in used]
    return pairs + [(None, guess) for guess in given if ("guess", guess) not in used]


def confusion(pairs: list[Pair], types: tuple[str, ...]) -> np.ndarray:
    """Counts pairs by type, <int>[types + 1, types + 1], nothing being the last row and column."""
    position = {kind: i for i, kind in enumerate(types)}
    matrix = np.zeros((len(types) + 1, len(types) + 1), np.int64)
    for true, guess in pairs:
        row, column = (
            len(types) if entity is None else position[entity.kind] for entity in (true, guess)
        )
        matrix[row, column] += 1
    return matrix


def _name_error(true: Entity | None, guess: Entity | None) -> str:
    """Returns the kind of error of a pair; empty if it is right."""
    if true is None or guess is None:
        return "invented" if true is None else "missed"
    same_place = true[:3] == guess[:3]
    same_kind = true.kind == guess.kind
    return {
        (True, True): "",
        (False, True): "boundary",
        (True, False): "type",
        (False, False): "boundary and type",
    }[same_place, same_kind]


def count_errors(pairs: list[Pair], tokens: list[list[str]]) -> dict[str, dict[str, Any]]:
    """Counts errors by kind, with the most frequent ones.

    Args:
        pairs: from `pair_entities`.
        tokens: the tokens of each text.

    Returns:
        By kind, `count` and `most_frequent`: `text`, `true`, `predicted` and `count` of each.
    """
    counts: dict[str, Counter] = {kind: Counter() for kind in KINDS}
    for true, guess in pairs:
        if kind := _name_error(true, guess):
            texts = [entity.text(tokens) for entity in dict.fromkeys((true, guess)) if entity]
            shown = " / ".join(dict.fromkeys(texts))
            counts[kind][shown, true and true.kind, guess and guess.kind] += 1
    names = ("text", "true", "predicted", "count")
    return {
        kind: {
            "count": counter.total(),
            "most_frequent": [
                dict(zip(names, (*error, count), strict=True))
                for error, count in counter.most_common(_MOST_FREQUENT)
            ],
        }
        for kind, counter in counts.items()
    }
