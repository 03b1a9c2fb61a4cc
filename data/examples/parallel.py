"""Texts with their translations, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from data.examples.corpus import Corpus, order_splits
from data.examples.splits import FRACTIONS, split_by_content


class Pair(NamedTuple):
    """A text and its translation."""

    source: str
    target: str


@dataclass(frozen=True)
class ParallelTexts:
    """The pairs of one split.

    Attributes:
        rows: the pairs.
        others: of each pair, further targets that are right, too; an empty list where the data have
            one alone. Models are measured by them, and do not learn from them.
    """

    rows: list[Pair]
    others: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The sources: the texts that a model reads."""
        return [row.source for row in self.rows]

    @property
    def translations(self) -> list[str]:
        """The targets."""
        return [row.target for row in self.rows]

    @classmethod
    def with_others(cls, found: Sequence[tuple[Pair, tuple[str, ...]]]) -> Self:
        """Returns pairs, each of which has further targets, or none."""
        others = [more for _, more in found]
        return cls([pair for pair, _ in found], others if any(others) else [])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the pairs of all parts, one after the other."""
        others = [each for part in parts for each in part.others or [()] * len(part)]
        return cls([row for part in parts for row in part], others if any(others) else [])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.rows)

    def take(self, rows: Sequence[int]) -> Self:
        """Returns the pairs at the given row numbers, in that order."""
        others = [self.others[row] for row in rows] if self.others else []
        return type(self)([self.rows[row] for row in rows], others)


@dataclass(frozen=True)
class ParallelCorpus(Corpus[ParallelTexts]):
    """A corpus whose splits are `ParallelTexts`.

    Attributes:
        languages: that of the sources, then that of the targets; or other names of both sides.
        sides: what these names are.
    """

    languages: tuple[str, str]
    sides: str = "languages"

    @classmethod
    def from_splits(
        cls, name: str, languages: tuple[str, str], splits: dict[str, ParallelTexts]
    ) -> Self:
        """Makes a corpus whose checksum is that of its pairs.

        Args:
            name: of the corpus.
            languages: as the attribute.
            splits: pairs by split name; further targets change no training, and no checksum.
        """
        splits = order_splits(splits)
        return cls(name, _checksum(splits), splits, languages)

    def describe_labels(self) -> str:
        """Returns the languages, such as `languages en, fr`."""
        return f"{self.sides} {', '.join(self.languages)}"


def split_parallel(
    pairs: ParallelTexts, side: int = 0, fractions: dict[str, float] = FRACTIONS
) -> dict[str, ParallelTexts]:
    """Splits pairs by the content of one side, so that no text of it stands in two splits.

    Args:
        pairs: all pairs.
        side: 0 for the sources, 1 for the targets.
        fractions: share of each split.
    """
    texts = [row[side] for row in pairs]
    parts = split_by_content(texts, [0] * len(texts), fractions=fractions)
    return {name: pairs.take(rows) for name, rows in parts.items() if rows}


def _checksum(splits: dict[str, ParallelTexts]) -> str:
    digest = hashlib.sha256()
    for split, part in splits.items():
        for row in part:
            digest.update(repr((split, *row)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
