"""Typed examples of labelled texts, their splits, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from data.errors import UserError

SPLITS = ("train", "validation", "test")


class LabelledText(NamedTuple):
    """One example: a text and the names of its classes (one, or any number if multi-label)."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class LabelledTexts:
    """One split, held by columns.

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
    def of(cls, texts: list[str], labels, class_names: tuple[str, ...], votes=None):
        """Examples of one class each; `labels` are <int>[rows], positions in `class_names`."""
        targets = np.eye(len(class_names), dtype=np.float32)[np.asarray(labels, np.int64)]
        return cls(texts, targets, class_names, votes)

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[LabelledText]:
        for text, target in zip(self.texts, self.targets, strict=True):
            yield LabelledText(text, tuple(self.class_names[i] for i in np.flatnonzero(target)))

    def take(self, rows) -> "LabelledTexts":
        """The examples at the given row numbers, in that order."""
        votes = None if self.votes is None else self.votes[rows]
        return LabelledTexts(
            [self.texts[i] for i in rows], self.targets[rows], self.class_names, votes
        )


@dataclass(frozen=True)
class Corpus:
    """A data set ready for an application.

    Attributes:
        name: the corpus' name, or the file name of a user's own data.
        checksum: sha256 of the raw file, or `checksum_of` what several files say, hexadecimal.
        class_names: the classes, in the order of the model's outputs.
        multi_label: whether a text may carry any number of classes.
        splits: examples by split name, in the order of `SPLITS`.
        former_checksums: those by which runs that were made before know the same data.
    """

    # What `class_names` are.
    class_title: ClassVar[str] = "classes"

    name: str
    checksum: str
    class_names: tuple[str, ...]
    multi_label: bool
    splits: dict[str, LabelledTexts]
    former_checksums: tuple[str, ...] = ()

    def is_known_as(self, checksum: str) -> bool:
        """Whether a run of this checksum was trained on these data."""
        return checksum in (self.checksum, *self.former_checksums)

    def everything(self) -> LabelledTexts:
        """The examples of all splits, joined; without votes."""
        parts = list(self.splits.values())
        texts = [text for part in parts for text in part.texts]
        targets = np.concatenate([part.targets for part in parts])
        return LabelledTexts(texts, targets, self.class_names)

    def measured_split(self) -> str:
        """The split that a trained model is measured on unless one is named: `test`, or
        `validation` where the data have no test split."""
        return "validation" if "test" not in self.splits and "validation" in self.splits else "test"

    def split(self, name: str) -> LabelledTexts:
        """The examples of one split.

        Raises:
            UserError: the corpus has no such split.
        """
        if name not in self.splits:
            raise UserError(
                f"no split {name!r} in {self.name}: it has {', '.join(self.splits)}. "
                "Choose one of these with --split"
            )
        return self.splits[name]


def checksum_of(splits: dict[str, LabelledTexts]) -> str:
    """sha256 of texts, targets and votes: the same rows have the same, whatever file they came
    from."""
    digest = hashlib.sha256()
    for name, rows in splits.items():
        for text, labels in rows:
            digest.update(repr((name, text, labels)).encode("utf-8", "surrogatepass"))
        if rows.votes is not None:
            digest.update(rows.votes.astype("<f4").tobytes())
    return digest.hexdigest()
