"""Texts with the names of their classes, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from data.examples.corpus import Corpus


class LabelledText(NamedTuple):
    """One example: a text and the names of its classes (one, or any number if multi-label)."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class LabelledTexts:
    """The labelled texts of one split, held by columns.

    Attributes:
        texts: the raw texts, one a row.
        targets: <float32>[rows, num_classes], 1 where the class applies, else 0.
        class_names: the names of the columns of `targets`.
        votes: <float32>[rows, num_classes] or None, the share of annotators who chose each class;
            rows sum to 1.
    """

    texts: list[str]
    targets: np.ndarray
    class_names: tuple[str, ...]
    votes: np.ndarray | None = None

    @classmethod
    def from_labels(
        cls,
        texts: list[str],
        labels: Sequence[int] | np.ndarray,
        class_names: tuple[str, ...],
        votes: np.ndarray | None = None,
    ) -> Self:
        """Makes examples of one class each.

        Args:
            texts: the raw texts.
            labels: <int>[rows], positions in `class_names`.
            class_names: the classes.
            votes: as the attribute.
        """
        targets = np.eye(len(class_names), dtype=np.float32)[np.asarray(labels, np.int64)]
        return cls(texts, targets, class_names, votes)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the examples of all parts, one after the other; without votes."""
        texts = [text for part in parts for text in part.texts]
        targets = np.concatenate([part.targets for part in parts])
        return cls(texts, targets, parts[0].class_names)

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[LabelledText]:
        for text, target in zip(self.texts, self.targets, strict=True):
            yield LabelledText(text, tuple(self.class_names[i] for i in np.flatnonzero(target)))

    def take(self, rows: Sequence[int] | np.ndarray) -> Self:
        """Returns the examples at the given row numbers, in that order."""
        votes = None if self.votes is None else self.votes[rows]
        texts = [self.texts[row] for row in rows]
        return type(self)(texts, self.targets[rows], self.class_names, votes)


@dataclass(frozen=True)
class LabelledCorpus(Corpus[LabelledTexts]):
    """A corpus whose splits are `LabelledTexts`.

    Attributes:
        class_names: the classes, in the order of the model's outputs.
        multi_label: whether a text may have any number of classes.
    """

    class_names: tuple[str, ...]
    multi_label: bool = False

    @classmethod
    def from_splits(
        cls,
        name: str,
        splits: dict[str, LabelledTexts],
        class_names: tuple[str, ...],
        former_checksums: tuple[str, ...] = (),
    ) -> Self:
        """Makes a corpus of one class a text, whose checksum is that of its examples.

        Args:
            name: of the corpus.
            splits: examples by split name, in the order of `SPLITS`.
            class_names, former_checksums: as the attributes.
        """
        checksum = _checksum(splits)
        return cls(name, checksum, splits, class_names, former_checksums=former_checksums)

    def describe_labels(self) -> str:
        """Returns the classes, such as `classes ham, spam`."""
        return f"classes {', '.join(self.class_names)}"


def _checksum(splits: dict[str, LabelledTexts]) -> str:
    """The sha256 of texts, targets and votes: the same rows have the same one, whatever file they
    came from."""
    digest = hashlib.sha256()
    for name, rows in splits.items():
        for text, labels in rows:
            digest.update(repr((name, text, labels)).encode("utf-8", "surrogatepass"))
        if rows.votes is not None:
            digest.update(rows.votes.astype("<f4").tobytes())
    return digest.hexdigest()
