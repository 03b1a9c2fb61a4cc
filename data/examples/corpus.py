"""The corpus of every kind of task: named splits of examples, and a checksum of them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, Protocol, Self, TypeVar

from data.errors import UserError

SPLITS = ("train", "validation", "test")


class Examples(Protocol):
    """The examples of one split."""

    @property
    def texts(self) -> list[str]:
        """The texts that a model reads, one an example."""

    def __len__(self) -> int:
        """Returns the number of examples."""

    def take(self, rows: Sequence[int]) -> Self:
        """Returns the examples at the given row numbers, in that order."""

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the examples of all parts, one after the other."""


ExamplesT = TypeVar("ExamplesT", bound=Examples)


@dataclass(frozen=True)
class Corpus(Generic[ExamplesT]):
    """A data set ready for an application.

    Attributes:
        name: the name of the corpus, or the file name of a user's own data.
        checksum: sha256 of the raw file, or of the examples where they come from several files,
            hexadecimal.
        splits: examples by split name, in the order of `SPLITS`.
        former_checksums: those by which runs of former versions know the same data.
    """

    name: str
    checksum: str
    splits: dict[str, ExamplesT]
    former_checksums: tuple[str, ...] = field(default=(), kw_only=True)

    def is_known_as(self, checksum: str) -> bool:
        """Returns whether a run of this checksum was trained on these data."""
        return checksum in (self.checksum, *self.former_checksums)

    def describe_labels(self) -> str:
        """Returns what the examples are labelled with, such as `classes ham, spam`; empty if with
        nothing."""
        return ""

    def describe(self) -> str:
        """Returns a line on what is in it: `a.csv: 80 train, 10 test; classes ham, spam`."""
        sizes = ", ".join(f"{len(rows):,} {name}" for name, rows in self.splits.items())
        labels = self.describe_labels()
        return f"{self.name}: {sizes}{f'; {labels}' if labels else ''}"

    def everything(self) -> ExamplesT:
        """Returns the examples of all splits, joined."""
        parts = list(self.splits.values())
        return type(parts[0]).join(parts)

    def measured_split(self) -> str:
        """Returns the split that a trained model is measured on unless one is named: `test`, or
        `validation` where the data have no test split."""
        return "validation" if "test" not in self.splits and "validation" in self.splits else "test"

    def split(self, name: str) -> ExamplesT:
        """Returns the examples of one split.

        Raises:
            UserError: the corpus has no such split.
        """
        if name not in self.splits:
            raise UserError(
                f"no split {name!r} in {self.name}: it has {', '.join(self.splits)}. "
                "Choose one of these with --split"
            )
        return self.splits[name]


def order_splits(splits: dict[str, ExamplesT]) -> dict[str, ExamplesT]:
    """Returns the splits that are there, in the order of `SPLITS`."""
    return {name: splits[name] for name in SPLITS if name in splits}


def sort_names(names: Iterable[str]) -> tuple[str, ...]:
    """Sorts the names of classes or types: numbers by value, other names by alphabet."""
    names = set(names)
    if all(re.fullmatch("0|-?[1-9][0-9]*", name) for name in names):
        # Not by `int`, which refuses more than 4,300 digits.
        return tuple(sorted(names, key=Decimal))
    return tuple(sorted(names))
