"""Typed examples of texts with their translations, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from data.examples.corpus import SPLITS, Corpus
from data.examples.splits import FRACTIONS, split_by_content


class Pair(NamedTuple):
    """A text and its translation."""

    source: str
    target: str


@dataclass(frozen=True)
class ParallelTexts:
    """One split."""

    rows: list[Pair]

    @property
    def texts(self) -> list[str]:
        """The sources, which is what is answered."""
        return [row.source for row in self.rows]

    @property
    def translations(self) -> list[str]:
        """The targets."""
        return [row.target for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.rows)

    def take(self, numbers) -> "ParallelTexts":
        """The examples at the given row numbers, in that order."""
        return ParallelTexts([self.rows[i] for i in numbers])


@dataclass(frozen=True)
class ParallelCorpus(Corpus):
    """A `data.examples.corpus.Corpus` whose splits are `ParallelTexts`; its classes are the
    languages, that of the sources first."""

    class_title: ClassVar[str] = "languages"

    splits: dict[str, ParallelTexts]

    def everything(self) -> ParallelTexts:
        """The examples of all splits, joined."""
        return ParallelTexts([row for part in self.splits.values() for row in part])


def parallel_corpus(
    name: str, languages: tuple[str, str], splits: dict[str, ParallelTexts]
) -> ParallelCorpus:
    """A corpus of splits, by name."""
    splits = {split: splits[split] for split in SPLITS if split in splits}
    digest = hashlib.sha256()
    for split, part in splits.items():
        for row in part:
            digest.update(repr((split, *row)).encode("utf-8", "surrogatepass"))
    return ParallelCorpus(name, digest.hexdigest(), languages, False, splits)


def split_parallel(
    everything: ParallelTexts, side: int = 0, fractions: dict[str, float] = FRACTIONS
) -> dict[str, ParallelTexts]:
    """Splits by the content of one side, so that no text of it stands in two splits.

    Args:
        everything: all pairs.
        side: 0 for the sources, 1 for the targets.
        fractions: share of each split.
    """
    texts = [row[side] for row in everything]
    parts = split_by_content(texts, [0] * len(texts), fractions=fractions)
    return {name: everything.take(rows) for name, rows in parts.items() if rows}
