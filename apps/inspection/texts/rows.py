"""The texts of a corpus by split, with a label each: what every inspection looks at."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Rows:
    """Texts and labels.

    Attributes:
        texts: by split.
        labels: by split, one of each text, whose equality says that two texts are answered alike;
            None for texts without labels.
    """

    texts: dict[str, list[str]]
    labels: dict[str, list[Hashable]] | None = None

    def __iter__(self) -> Iterator[tuple[str, str, Hashable]]:
        """Yields split, text and label of each row."""
        for split, texts in self.texts.items():
            labels = [None] * len(texts) if self.labels is None else self.labels[split]
            for text, label in zip(texts, labels, strict=True):
                yield split, text, label

    def __len__(self) -> int:
        return sum(map(len, self.texts.values()))
