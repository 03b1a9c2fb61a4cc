"""Pictures with their captions, and the corpus that holds them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from data.examples.corpus import Corpus, order_splits


class Picture(Protocol):
    """A picture, which is read when it is needed."""

    @property
    def name(self) -> str:
        """What messages and tables call it."""

    @property
    def digest(self) -> str:
        """A checksum of its content, hexadecimal: pictures of the same content have the same."""

    def read(self) -> bytes:
        """Returns an ordinary JPEG or PNG file: upright, in RGB or grey, of 8 bits a colour, which
        `tf.io.decode_image` reads.

        Raises:
            UserError: it cannot be read.
        """


@dataclass(frozen=True)
class CaptionedPictures:
    """The pictures of one split.

    Attributes:
        pictures: one an example.
        captions: by picture, one or more sentences that say what is in it.
    """

    pictures: list[Picture]
    captions: list[tuple[str, ...]]

    @property
    def texts(self) -> list[str]:
        """The names of the pictures."""
        return [picture.name for picture in self.pictures]

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the pictures of all parts, one after the other."""
        return cls(
            [picture for part in parts for picture in part.pictures],
            [captions for part in parts for captions in part.captions],
        )

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, positions: Sequence[int]) -> Self:
        """Returns the pictures at the given positions, in that order."""
        return type(self)(
            [self.pictures[place] for place in positions],
            [self.captions[place] for place in positions],
        )

    def pairs(self) -> list[tuple[int, str]]:
        """Returns a picture's number and a caption of it, for each caption."""
        return [
            (number, caption) for number, group in enumerate(self.captions) for caption in group
        ]

    def checksum(self) -> str:
        """Returns the sha256 of pictures and captions, hexadecimal, whatever files hold them."""
        digest = hashlib.sha256()
        for picture, captions in zip(self.pictures, self.captions, strict=True):
            line = repr((picture.digest, captions))
            digest.update(line.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


@dataclass(frozen=True)
class CaptionCorpus(Corpus[CaptionedPictures]):
    """A corpus whose splits are `CaptionedPictures`."""

    @classmethod
    def from_splits(cls, name: str, splits: dict[str, CaptionedPictures]) -> Self:
        """Makes a corpus of the splits that are not empty; its checksum is that of its content.

        Args:
            name: of the corpus.
            splits: pictures by split name.
        """
        splits = {split: part for split, part in order_splits(splits).items() if len(part)}
        sums = repr([(split, part.checksum()) for split, part in splits.items()])
        return cls(name, hashlib.sha256(sums.encode()).hexdigest(), splits)

    def describe_labels(self) -> str:
        """Returns the number of captions, such as `40,460 captions`."""
        return f"{sum(len(part.pairs()) for part in self.splits.values()):,} captions"
