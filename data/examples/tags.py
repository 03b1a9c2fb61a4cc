"""Tags of tokens and spans of text, one turned into the other: BIO and its relatives."""

import re
from collections.abc import Iterable, Sequence
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
    """Returns whether this is `O` or a prefix of BIO or BIOES (also called BILOU) and a type."""
    return text == OUTSIDE or re.fullmatch(r"[BIESLU]-\S+", text) is not None


def find_scheme(sequences: list[list[str]]) -> str:
    """Finds the scheme of tags: `IO`, `IOB1`, `BIO` or `BIOES`."""
    prefixes, begins_with_b, begins_with_i = set(), False, False
    for tags in sequences:
        before: str | None = None
        for tag in tags:
            prefix, kind = _split_tag(tag)
            prefixes.add(prefix)
            # In BIO every entity has its B; in IOB1 only one that follows another of its type.
            begins_with_b |= prefix == "B" and before != kind
            begins_with_i |= prefix == "I" and before != kind
            before = kind
    if prefixes & set("ESLU"):
        return "BIOES"
    if "B" not in prefixes:
        return "IO" if "I" in prefixes else "BIO"
    return "IOB1" if begins_with_i and not begins_with_b else "BIO"


def find_entities(tags: list[str]) -> list[tuple[int, int, str]]:
    """Finds the entities in a sequence of tags of any scheme.

    An entity begins with B or S, after E or S, and where the type changes, as in conlleval.

    Returns:
        First token, token after the last, and type of each entity.
    """
    entities: list[tuple[int, int, str]] = []
    prefix_before: str | None = None
    kind_before: str | None = None
    for position, tag in enumerate(tags):
        prefix, kind = _split_tag(tag)
        begins = prefix in ("B", "S", "U") or prefix_before in ("E", "S", "L", "U")
        if kind is not None and (begins or kind != kind_before):
            entities.append((position, position + 1, kind))
        elif kind is not None:
            entities[-1] = (entities[-1][0], position + 1, kind)
        prefix_before, kind_before = prefix, kind
    return entities


def _split_tag(tag: str) -> tuple[str | None, str | None]:
    """Returns the prefix and the type; None for both outside of entities."""
    if tag == OUTSIDE:
        return None, None
    match = _TAG.fullmatch(tag)
    if match is None:
        raise ValueError(f"{tag!r} is not a tag")
    return match[1] or "I", match[2]


def bio_names(types: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the tags of BIO in the order of a tagger's scores: `O`, then `B-` and `I-` of each
    type."""
    return (OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in "BI"))


def spans_to_tags(
    starts: np.ndarray, ends: np.ndarray, spans: Iterable[Span], types: tuple[str, ...]
) -> np.ndarray:
    """Gives the tokens that spans touch their BIO tags.

    Args:
        starts, ends: <int>[tokens], ascending, of each token in its text.
        spans: of the same text; they do not overlap. Where two touch one token, the first has it.
        types: all entity types that a span may have.

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


def tags_to_spans(
    starts: Sequence[int] | np.ndarray, ends: Sequence[int] | np.ndarray, tags: list[str]
) -> list[Span]:
    """Turns a sequence of tags into spans.

    Args:
        starts, ends: <int>[tokens], ascending, of each token in its text.
        tags: of the tokens, in any scheme.
    """
    return [
        Span(int(starts[first]), int(ends[after - 1]), kind)
        for first, after, kind in find_entities(tags)
    ]
