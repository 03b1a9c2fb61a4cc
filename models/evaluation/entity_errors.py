"""What is wrong with entities: which was taken for which, and the most frequent errors by kind."""

from collections import Counter
from typing import NamedTuple

import numpy as np

_MOST_FREQUENT = 10
NOTHING = "nothing"
KINDS = ("missed", "invented", "boundary", "type", "boundary and type")


class Entity(NamedTuple):
    """Of the token `first` to the token `last` of the text number `row`."""

    row: int
    first: int
    last: int
    kind: str

    def text(self, tokens: list[list[str]]) -> str:
        """What it says, in the tokens of all texts."""
        return " ".join(tokens[self.row][self.first : self.last + 1])


def paired(wanted: list[Entity], given: list[Entity]) -> list[tuple]:
    """True and predicted entities that share tokens, those first that share most; None where there
    is no other."""
    by_row = {}
    for entity in given:
        by_row.setdefault(entity.row, []).append(entity)
    overlaps = []
    for true in wanted:
        for guess in by_row.get(true.row, ()):
            shared = min(true.last, guess.last) - max(true.first, guess.first) + 1
            if shared > 0:
                extra = max(true.last, guess.last) - min(true.first, guess.first) + 1 - shared
                overlaps.append((-shared, extra, true, guess))
    pairs, used = [], set()
    for *_, true, guess in sorted(overlaps):
        if ("true", true) not in used and ("guess", guess) not in used:
            used |= {("true", true), ("guess", guess)}
            pairs.append((true, guess))
    pairs += [(true, None) for true in wanted if ("true", true) not in used]
    return pairs + [(None, guess) for guess in given if ("guess", guess) not in used]


def confusion(pairs: list[tuple], types: tuple[str, ...]) -> np.ndarray:
    """<int>[types + 1, types + 1]; the last row and column are for nothing."""
    position = {kind: i for i, kind in enumerate(types)}
    matrix = np.zeros((len(types) + 1, len(types) + 1), np.int64)
    for true, guess in pairs:
        row, column = (len(types) if e is None else position[e.kind] for e in (true, guess))
        matrix[row, column] += 1
    return matrix


def _error(true: Entity | None, guess: Entity | None) -> str:
    """The kind of the error that a pair is; empty if it is none."""
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


def errors(pairs: list[tuple], tokens: list[list[str]]) -> dict[str, dict]:
    counts = {kind: Counter() for kind in KINDS}
    for true, guess in pairs:
        if kind := _error(true, guess):
            texts = [each.text(tokens) for each in dict.fromkeys((true, guess)) if each]
            shown = " / ".join(dict.fromkeys(texts))
            counts[kind][shown, true and true.kind, guess and guess.kind] += 1
    names = ("text", "true", "predicted", "count")
    return {
        kind: {
            "count": counter.total(),
            "most_frequent": [
                dict(zip(names, (*what, count), strict=True))
                for what, count in counter.most_common(_MOST_FREQUENT)
            ],
        }
        for kind, counter in counts.items()
    }
