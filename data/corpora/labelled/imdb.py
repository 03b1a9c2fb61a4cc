"""Film reviews (Maas et al. 2011): the original archive, packed or not, or TFDS' `imdb_reviews`."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import tensorflow_datasets as tfds

from data.corpora.download import check_download, find_original
from data.corpora.prepared import explain_tfds_errors, read_prepared
from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.examples.splits import canonical_form, split_by_content
from data.files.archives import explain_read_errors, read_tar, read_whole

CLASS_NAMES = ("negative", "positive")
_FOLDERS = ("neg", "pos")
# In the data folder itself or below `imdb`, unpacked or packed.
_PLACES = ("aclImdb", "imdb/aclImdb", "aclImdb*.tar*", "imdb/aclImdb*.tar*")
_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
# The number of reviews of each class, in train and in test.
_REVIEWS = 12_500


def read(data_dir: str | None) -> LabelledCorpus:
    """Reads 25,000 reviews to train and 25,000 to test; a tenth of the former is for validation.

    The validation split is stratified and fixed by content: duplicates, and reviews posted again
    with another ending, stay in one split. The official splits share 123 reviews, which stay where
    they are.

    Raises:
        UserError: the archive is damaged or not whole, or there is none and no network.
    """
    source = find_original(data_dir, *_PLACES)
    if source is not None:
        parts = _read_reviews(source)
    else:
        with explain_tfds_errors("imdb_reviews"):
            builder = tfds.builder("imdb_reviews")
            if not builder.is_prepared():
                remedy = f"the file of {_URL} at <folder>/imdb/aclImdb_v1.tar.gz"
                check_download("imdb", _URL, remedy)
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


def _read_reviews(source: Path) -> dict[str, LabelledTexts]:
    """Reads `{train,test}/{neg,pos}/*.txt` of a folder or an archive; 3 s for the latter."""
    reviews = defaultdict(list)
    remedy = f"Get it from {_URL}"
    with explain_read_errors(source, remedy):
        files = _read_folder(source) if source.is_dir() else read_tar(source, _is_review, remedy)
        for path, content in files:
            *_, split, folder, _ = PurePosixPath(path).parts
            # TFDS strips texts, too.
            text = content.decode("utf-8").strip()
            reviews[split].append((text, _FOLDERS.index(folder)))
    parts = {}
    for split in ("train", "test"):
        texts, labels = zip(*reviews[split], strict=True) if reviews[split] else ((), ())
        for label, folder in enumerate(_FOLDERS):
            if labels.count(label) != _REVIEWS:
                raise UserError(
                    f"{source} has {labels.count(label)} reviews in {split}/{folder}, expected "
                    f"{_REVIEWS}. Get it from {_URL}"
                )
        parts[split] = LabelledTexts.from_labels(list(texts), labels, CLASS_NAMES)
    return parts


def _is_review(name: str) -> bool:
    *_, split, folder, file = ("", "", "", *PurePosixPath(name).parts)
    return split in ("train", "test") and folder in _FOLDERS and file.endswith(".txt")


def _read_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("*/*/*.txt"):
        if _is_review(path.as_posix()):
            with path.open("rb") as file:
                yield path.as_posix(), read_whole(file, path)
