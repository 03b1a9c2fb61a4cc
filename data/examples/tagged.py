"""Typed examples of texts whose pieces carry types, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from data.examples.corpus import SPLITS, Corpus
from data.examples.splits import split_by_content
from data.examples.tags import Span, entities_of
from data.user_files.labels import in_order


class TaggedText(NamedTuple):
    """A text and its spans.

    Attributes:
        text: the raw text.
        spans: ascending, without overlap.
        tokens: start and end of each token, if the data say them; figures count these. None: the
            tokens of `data.text.word_tokenizer`.
    """

    text: str
    spans: tuple[Span, ...]
    tokens: tuple[tuple[int, int], ...] | None = None


def of_tokens(tokens: list[str], tags: list[str]) -> TaggedText:
    """Tokens with tags of any scheme as the text that they make, joined by spaces."""
    ends = np.cumsum([len(token) + 1 for token in tokens]) - 1
    places = [(int(end) - len(token), int(end)) for token, end in zip(tokens, ends, strict=True)]
    spans = [
        Span(places[first][0], places[after - 1][1], kind)
        for first, after, kind in entities_of(tags)
    ]
    return TaggedText(" ".join(tokens), tuple(spans), tuple(places))


@dataclass(frozen=True)
class TaggedTexts:
    """One split."""

    rows: list[TaggedText]

    @property
    def texts(self) -> list[str]:
        """The raw texts."""
        return [row.text for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[TaggedText]:
        return iter(self.rows)

    def take(self, numbers) -> "TaggedTexts":
        """The examples at the given row numbers, in that order."""
        return TaggedTexts([self.rows[i] for i in numbers])

    def types(self) -> set[str]:
        """The types that occur."""
        return {span.type for row in self.rows for span in row.spans}


@dataclass(frozen=True)
class TaggedCorpus(Corpus):
    """A `data.examples.corpus.Corpus` whose splits are `TaggedTexts`; its classes are the types."""

    splits: dict[str, TaggedTexts]

    def with_validation(self) -> "TaggedCorpus":
        """The same corpus, with the validation split's examples in the training split, too."""
        train = TaggedTexts([*self.split("train"), *self.split("validation")])
        return replace(self, splits={**self.splits, "train": train})

    def everything(self) -> TaggedTexts:
        """The examples of all splits, joined."""
        return TaggedTexts([row for part in self.splits.values() for row in part])


def tagged_corpus(
    name: str, splits: dict[str, TaggedTexts], types: tuple[str, ...] = ()
) -> TaggedCorpus:
    """A corpus of splits.

    Args:
        name: of the data set.
        splits: by name; the types are those that occur in any, unless they are given.
        types: in the order of a model's.
    """
    splits = {split: splits[split] for split in SPLITS if split in splits}
    found = set().union(*(part.types() for part in splits.values()))
    return TaggedCorpus(name, _checksum(splits), types or in_order(found), False, splits)


def split_tagged(everything: TaggedTexts, fractions: dict[str, float]) -> dict[str, TaggedTexts]:
    """Splits by content, stratified by the types that a text has."""
    strata = [tuple(sorted({span.type for span in row.spans})) for row in everything]
    parts = split_by_content(everything.texts, strata, fractions=fractions)
    return {name: everything.take(rows) for name, rows in parts.items() if rows}


def _checksum(splits: dict[str, TaggedTexts]) -> str:
    """sha256 of texts and spans: the same rows have the same, whatever file they came from."""
    digest = hashlib.sha256()
    for name, part in splits.items():
        for row in part:
            spans = [tuple(span) for span in row.spans]
            line = repr((name, row.text, spans, row.tokens))
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
