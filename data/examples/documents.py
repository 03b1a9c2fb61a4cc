"""Typed examples of texts to learn a language from, and the corpus that holds them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from data.examples.corpus import SPLITS, Corpus
from data.examples.splits import split_by_content

# The part of a single text that is read to train: its beginning.
_TRAIN_SHARE = 0.9


@dataclass(frozen=True)
class Documents:
    """One split.

    Attributes:
        texts: in the order in which they are read.
        whole: whether each has its own end; otherwise it was only cut off.
        labels: <int>[texts], positions in the corpus' classes, or None.
    """

    texts: list[str]
    whole: bool = True
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def take(self, numbers) -> "Documents":
        """The texts at the given numbers, in that order."""
        labels = None if self.labels is None else self.labels[numbers]
        return Documents([self.texts[i] for i in numbers], self.whole, labels)


@dataclass(frozen=True)
class DocumentCorpus(Corpus):
    """A `data.examples.corpus.Corpus` whose splits are `Documents`; its classes may be none."""

    splits: dict[str, Documents]

    def everything(self) -> Documents:
        """The texts of all splits, joined."""
        parts = list(self.splits.values())
        labels = None
        if all(part.labels is not None for part in parts):
            labels = np.concatenate([part.labels for part in parts])
        texts = [text for part in parts for text in part.texts]
        return Documents(texts, all(part.whole for part in parts), labels)


def document_corpus(
    name: str, splits: dict[str, Documents], class_names: tuple[str, ...] = (), checksum: str = ""
) -> DocumentCorpus:
    """A corpus of splits; without a checksum, that of its texts."""
    splits = {split: splits[split] for split in SPLITS if split in splits and len(splits[split])}
    return DocumentCorpus(name, checksum or _checksum(splits), class_names, False, splits)


def cut(text: str) -> dict[str, Documents]:
    """The first nine tenths of a text to train and the rest to validate, as nanoGPT does."""
    at = int(len(text) * _TRAIN_SHARE)
    parts = {"train": text[:at], "validation": text[at:]}
    return {name: Documents([part], whole=False) for name, part in parts.items() if part}


def split_documents(documents: Documents, fractions: dict[str, float]) -> dict[str, Documents]:
    """Splits by content, stratified by the labels where there are some."""
    strata = [0] * len(documents) if documents.labels is None else documents.labels.tolist()
    rows = split_by_content(documents.texts, strata, fractions=fractions)
    return {name: documents.take(numbers) for name, numbers in rows.items() if numbers}


def _checksum(splits: dict[str, Documents]) -> str:
    """sha256 of texts and labels: the same have the same, whatever file they came from."""
    digest = hashlib.sha256()
    for name, part in splits.items():
        labels = [None] * len(part) if part.labels is None else part.labels.tolist()
        for text, label in zip(part.texts, labels, strict=True):
            line = repr((name, text, label))
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
