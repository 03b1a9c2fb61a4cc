"""Tags of tokens and spans of text: BIO and its relatives, both ways."""

import re
from typing import NamedTuple

import numpy as np

# Bare types are IO without its prefix.
_TAG = re.compile(r"(?:([BIESLU])-)?(\S+)")
OUTSIDE = "O"


class Span(NamedTuple):
    """A piece of a text, from the code point `start` to before `end`, and its type."""

    start: int
    end: int
    type: str


def is_tag(text: str) -> bool:
    """Whether this is `O` or a prefix of BIO or BIOES (also called BILOU) and a type."""
    return text == OUTSIDE or re.fullmatch(r"[BIESLU]-\S+", text) is not None


def scheme_of(sequences: list[list[str]]) -> str:
    """Which scheme tags are of: `IO`, `IOB1`, `BIO` or `BIOES`."""
    prefixes, begun, merged = set(), False, False
    for tags in sequences:
        before = (None, None)
        for tag in tags:
            now = _parts(tag)
            prefixes.add(now[0])
            # In BIO every entity has its B; in IOB1 only one that follows another of its type.
            begun |= now[0] == "B" and before[1] != now[1]
            merged |= now[0] == "I" and before[1] != now[1]
            before = now
    if prefixes & set("ESLU"):
        return "BIOES"
    if "B" not in prefixes:
        return "IO" if "I" in prefixes else "BIO"
    return "IOB1" if merged and not begun else "BIO"


def entities_of(tags: list[str]) -> list[tuple[int, int, str]]:
    """The entities of a sequence of tags in any scheme: first token, token after the last, type.

    An entity begins with B or S, after E or S, and where the type changes; as conlleval has it.
    """
    entities, before = [], (None, None)
    for position, tag in enumerate(tags):
        prefix, kind = now = _parts(tag)
        goes_on = kind is not None and kind == before[1]
        if goes_on and prefix not in ("B", "S", "U") and before[0] not in ("E", "S", "L", "U"):
            entities[-1][1] = position + 1
        elif kind is not None:
            entities.append([position, position + 1, kind])
        before = now
    return [tuple(entity) for entity in entities]


def _parts(tag: str) -> tuple[str | None, str | None]:
    """Prefix and type; no type outside."""
    if tag == OUTSIDE:
        return None, None
    prefix, kind = _TAG.fullmatch(tag).groups()
    return prefix or "I", kind


def bio_names(types: tuple[str, ...]) -> tuple[str, ...]:
    """The tags of BIO in the order of a tagger's scores: `O`, and of each type `B-` and `I-`."""
    return (OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in "BI"))


def tags_of_spans(starts, ends, spans, types: tuple[str, ...]) -> np.ndarray:
    """BIO tags of tokens that spans touch.

    Args:
        starts, ends: <int>[tokens], ascending, of each token in its text.
        spans: of the same text; they do not overlap. Where two touch one token, the first has it.
        types: known ones.

    Returns:
        <int32>[tokens], positions in `bio_names(types)`.
    """
    tags = np.zeros(len(starts), np.int32)
    for start, end, kind in sorted(spans):
        first = int(np.searchsorted(ends, start, side="right"))
        after = int(np.searchsorted(starts, end, side="left"))
        while first < after and tags[first]:
            first += 1
        if first < after:
            inside = 2 * types.index(kind) + 2
            tags[first:after] = inside
            tags[first] = inside - 1
    return tags


def spans_of_tags(starts, ends, tags: list[str]) -> list[Span]:
    """The spans of a sequence of tags, by the places of its tokens."""
    return [
        Span(int(starts[first]), int(ends[after - 1]), kind)
        for first, after, kind in entities_of(tags)
    ]
