"""Texts to learn a language from, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from data.errors import UserError
from data.examples.corpus import Corpus, order_splits
from data.examples.labelled import LabelledCorpus
from data.examples.parallel import ParallelCorpus
from data.examples.splits import split_by_content

# The beginning of a single text that is read to train.
_TRAIN_SHARE = 0.9


@dataclass(frozen=True)
class Documents:
    """The documents of one split.

    Attributes:
        texts: in the order in which they are read.
        whole: whether each has its own end; otherwise it was only cut off.
        labels: <int>[texts], positions in the classes of the corpus, or None.
    """

    texts: list[str]
    whole: bool = True
    labels: np.ndarray | None = None

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the texts of all parts, one after the other; with labels if all have them."""
        labels = None
        if all(part.labels is not None for part in parts):
            labels = np.concatenate([part.labels for part in parts])
        texts = [text for part in parts for text in part.texts]
        return cls(texts, all(part.whole for part in parts), labels)

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def take(self, rows: Sequence[int] | np.ndarray) -> Self:
        """Returns the texts at the given numbers, in that order."""
        labels = None if self.labels is None else self.labels[rows]
        return type(self)([self.texts[row] for row in rows], self.whole, labels)


@dataclass(frozen=True)
class DocumentCorpus(Corpus[Documents]):
    """A corpus whose splits are `Documents`.

    Attributes:
        class_names: the classes that a model may write texts of; none where it cannot choose.
    """

    class_names: tuple[str, ...] = ()

    @classmethod
    def from_splits(
        cls,
        name: str,
        splits: dict[str, Documents],
        class_names: tuple[str, ...] = (),
        checksum: str = "",
    ) -> Self:
        """Makes a corpus of the splits that are not empty.

        Args:
            name: of the corpus.
            splits: documents by split name.
            class_names: as the attribute.
            checksum: of the file; empty for that of the texts.
        """
        splits = {split: part for split, part in order_splits(splits).items() if len(part)}
        return cls(name, checksum or _checksum(splits), splits, class_names)

    @classmethod
    def from_labelled(cls, corpus: LabelledCorpus, conditioned: bool) -> Self:
        """Takes the texts of a corpus of labelled texts for documents.

        Args:
            corpus: the labelled texts.
            conditioned: whether the documents keep their classes.

        Raises:
            UserError: they are to keep them, but a text may have several.
        """
        if conditioned and corpus.multi_label:
            raise UserError(
                f"{corpus.name} has any number of classes a text. Pass one --label-column"
            )
        splits = {}
        for name, part in corpus.splits.items():
            labels = part.targets.argmax(axis=1).astype(np.int32) if conditioned else None
            splits[name] = Documents(part.texts, True, labels)
        class_names = corpus.class_names if conditioned else ()
        return cls.from_splits(corpus.name, splits, class_names, corpus.checksum)

    @classmethod
    def from_sources(cls, corpus: ParallelCorpus) -> Self:
        """Takes the sources of pairs for documents, each as one line: so does a summarizer that
        copies read them."""
        splits = {
            name: Documents([" ".join(text.split()) for text in part.texts])
            for name, part in corpus.splits.items()
        }
        return cls.from_splits(corpus.name, splits)

    def describe_labels(self) -> str:
        """Returns the classes, such as `classes ham, spam`; empty if there are none."""
        return f"classes {', '.join(self.class_names)}" if self.class_names else ""


def cut_text(text: str) -> dict[str, Documents]:
    """Cuts a text into its first nine tenths to train and the rest to validate, as nanoGPT does."""
    end = int(len(text) * _TRAIN_SHARE)
    parts = {"train": text[:end], "validation": text[end:]}
    return {name: Documents([part], whole=False) for name, part in parts.items() if part}


def split_documents(documents: Documents, fractions: dict[str, float]) -> dict[str, Documents]:
    """Splits documents by content, stratified by their labels if they have some."""
    strata = [0] * len(documents) if documents.labels is None else documents.labels.tolist()
    rows = split_by_content(documents.texts, strata, fractions=fractions)
    return {name: documents.take(numbers) for name, numbers in rows.items() if numbers}


def _checksum(splits: dict[str, Documents]) -> str:
    """The sha256 of texts and labels: the same ones have the same, whatever file they came from."""
    digest = hashlib.sha256()
    for name, part in splits.items():
        labels = [None] * len(part) if part.labels is None else part.labels.tolist()
        for text, label in zip(part.texts, labels, strict=True):
            line = repr((name, text, label))
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
