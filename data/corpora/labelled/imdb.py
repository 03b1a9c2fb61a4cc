"""Film reviews (Maas et al. 2011): the original archive, packed or not, or TFDS' `imdb_reviews`."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import tensorflow_datasets as tfds

from data.corpora.download import check_download, find_original
from data.corpora.prepared import explain_tfds_errors, read_prepared
from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.examples.splits import canonical_form, split_by_content
from data.files.archives import explain_read_errors, read_tar, read_whole

CLASS_NAMES = ("negative", "positive")
# The folder of each class.
FOLDERS = ("neg", "pos")
# In the data folder itself or below `imdb`, unpacked or packed.
PLACES = ("aclImdb", "imdb/aclImdb", "aclImdb*.tar*", "imdb/aclImdb*.tar*")
URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
# A number and the author's rating.
_NAME = re.compile(r"[0-9]{1,9}_[0-9]+[.]txt")
# The number of reviews of each class, in train and in test.
_REVIEWS = 12_500


class Review(NamedTuple):
    """A review of the original, with its class and the number of its file within its folder."""

    text: str
    label: int
    number: int


def read(data_dir: str | None) -> LabelledCorpus:
    """Reads 25,000 reviews to train and 25,000 to test; a tenth of the former is for validation.

    The validation split is stratified and fixed by content: duplicates, and reviews posted again
    with another ending, stay in one split. The official splits share 123 reviews, which stay where
    they are.

    Raises:
        UserError: the archive is damaged or not whole, or there is none and no network.
    """
    source = find_original(data_dir, *PLACES)
    if source is not None:
        parts = {name: label_reviews(reviews) for name, reviews in read_reviews(source).items()}
    else:
        with explain_tfds_errors("imdb_reviews"):
            builder = tfds.builder("imdb_reviews")
            if not builder.is_prepared():
                remedy = f"the file of {URL} at <folder>/imdb/aclImdb_v1.tar.gz"
                check_download("imdb", URL, remedy)
            parts = read_prepared(builder, CLASS_NAMES, splits=("train", "test"))
    # TFDS shuffles; in the order of their texts, rows are the same from both sources.
    parts = {name: part.take(_order_by_text(part)) for name, part in parts.items()}
    rows = split_by_content(
        parts["train"].texts,
        parts["train"].targets[:, 1].tolist(),
        fractions={"train": 0.9, "validation": 0.1},
        form=_take_beginning,
    )
    splits = {name: parts["train"].take(rows[name]) for name in ("train", "validation")}
    splits["test"] = parts["test"]
    return LabelledCorpus.from_splits("imdb", splits, CLASS_NAMES)


def _take_beginning(text: str) -> str:
    return canonical_form(text[:1000])[:200]


def _order_by_text(part: LabelledTexts) -> list[int]:
    return sorted(range(len(part)), key=lambda row: (part.texts[row], part.targets[row, 1]))


def label_reviews(reviews: list[Review]) -> LabelledTexts:
    """Returns the reviews as texts of two classes."""
    texts, labels, _ = zip(*reviews, strict=True) if reviews else ((), (), ())
    return LabelledTexts.from_labels(list(texts), labels, CLASS_NAMES)


def read_reviews(source: Path) -> dict[str, list[Review]]:
    """Reads `{train,test}/{neg,pos}/*.txt` of a folder or an archive; 3 s for the latter.

    Returns:
        The reviews of `train` and of `test`, in the order of the files.

    Raises:
        UserError: the archive is damaged or not whole.
    """
    reviews: dict[str, list[Review]] = defaultdict(list)
    remedy = f"Get it from {URL}"
    with explain_read_errors(source, remedy):
        files = _read_folder(source) if source.is_dir() else read_tar(source, _is_review, remedy)
        for path, content in files:
            *_, split, folder, name = PurePosixPath(path).parts
            # TFDS strips texts, too.
            text = content.decode("utf-8").strip()
            reviews[split].append(Review(text, FOLDERS.index(folder), _number(name)))
    for split in ("train", "test"):
        counts = Counter(review.label for review in reviews[split])
        for kind, folder in enumerate(FOLDERS):
            if counts[kind] != _REVIEWS:
                raise UserError(
                    f"{source} has {counts[kind]} reviews in {split}/{folder}, expected "
                    f"{_REVIEWS}. {remedy}"
                )
    return dict(reviews)


def _number(name: str) -> int:
    """Returns the number before the underscore of a file's name, such as 17 of `17_9.txt`."""
    return int(name.partition("_")[0])


def _is_review(name: str) -> bool:
    *_, split, folder, file = ("", "", "", *PurePosixPath(name).parts)
    return split in ("train", "test") and folder in FOLDERS and _NAME.fullmatch(file) is not None


def _read_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("*/*/*.txt"):
        if _is_review(path.as_posix()):
            with path.open("rb") as file:
                yield path.as_posix(), read_whole(file, path)
