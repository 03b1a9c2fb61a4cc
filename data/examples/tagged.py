"""Texts in which pieces carry entity types, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from data.examples.corpus import Corpus, order_splits, sort_names
from data.examples.splits import split_by_content
from data.examples.tags import Span, find_entities


class TaggedText(NamedTuple):
    """A text and its spans.

    Attributes:
        text: the raw text.
        spans: ascending, without overlap.
        tokens: start and end of each token, if the data say them; metrics count these. None: the
            tokens of `data.text.word_tokenizer`.
    """

    text: str
    spans: tuple[Span, ...]
    tokens: tuple[tuple[int, int], ...] | None = None

    @classmethod
    def from_tokens(cls, tokens: list[str], tags: list[str]) -> Self:
        """Joins tokens by spaces, and turns their tags of any scheme into spans."""
        ends = np.cumsum([len(token) + 1 for token in tokens]) - 1
        places = [
            (int(end) - len(token), int(end)) for token, end in zip(tokens, ends, strict=True)
        ]
        spans = [
            Span(places[first][0], places[after - 1][1], kind)
            for first, after, kind in find_entities(tags)
        ]
        return cls(" ".join(tokens), tuple(spans), tuple(places))


@dataclass(frozen=True)
class TaggedTexts:
    """The tagged texts of one split."""

    rows: list[TaggedText]

    @property
    def texts(self) -> list[str]:
        """The raw texts."""
        return [row.text for row in self.rows]

    @property
    def types(self) -> set[str]:
        """The entity types that occur."""
        return {span.type for row in self.rows for span in row.spans}

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the texts of all parts, one after the other."""
        return cls([row for part in parts for row in part])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[TaggedText]:
        return iter(self.rows)

    def take(self, rows: Sequence[int]) -> Self:
        """Returns the texts at the given row numbers, in that order."""
        return type(self)([self.rows[row] for row in rows])


@dataclass(frozen=True)
class TaggedCorpus(Corpus[TaggedTexts]):
    """A corpus whose splits are `TaggedTexts`.

    Attributes:
        entity_types: in the order of the model's.
    """

    entity_types: tuple[str, ...]

    @classmethod
    def from_splits(
        cls, name: str, splits: dict[str, TaggedTexts], entity_types: tuple[str, ...] = ()
    ) -> Self:
        """Makes a corpus whose checksum is that of its texts and spans.

        Args:
            name: of the corpus.
            splits: texts by split name.
            entity_types: as the attribute; empty for those that occur in any split.
        """
        splits = order_splits(splits)
        occurring = set().union(*(part.types for part in splits.values()))
        return cls(name, _checksum(splits), splits, entity_types or sort_names(occurring))

    def describe_labels(self) -> str:
        """Returns the entity types, such as `entity types LOC, PER`."""
        return f"entity types {', '.join(self.entity_types)}"

    def with_validation(self) -> Self:
        """Returns the corpus with the texts of the validation split in the training split, too."""
        train = TaggedTexts.join([self.split("train"), self.split("validation")])
        return replace(self, splits={**self.splits, "train": train})


def split_tagged(texts: TaggedTexts, fractions: dict[str, float]) -> dict[str, TaggedTexts]:
    """Splits texts by content, stratified by the entity types that a text has."""
    strata = [tuple(sorted({span.type for span in row.spans})) for row in texts]
    parts = split_by_content(texts.texts, strata, fractions=fractions)
    return {name: texts.take(rows) for name, rows in parts.items() if rows}


def _checksum(splits: dict[str, TaggedTexts]) -> str:
    """The sha256 of texts and spans: the same rows have the same one, whatever file they came
    from."""
    digest = hashlib.sha256()
    for name, part in splits.items():
        for row in part:
            spans = [tuple(span) for span in row.spans]
            line = repr((name, row.text, spans, row.tokens))
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
