"""Film reviews (Maas et al. 2011): the original archive, packed or not, or TFDS' `imdb_reviews`."""

import lzma
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import tensorflow_datasets as tfds

from data.errors import UserError
from data.examples import Corpus, LabelledTexts, checksum_of
from data.originals import check_download, find_original
from data.prepared import read_prepared
from data.splits import canonical, split_by_content

CLASS_NAMES = ("negative", "positive")
_FOLDERS = ("neg", "pos")
# In the data folder itself or below `imdb`, unpacked or packed.
_PLACES = ("aclImdb", "imdb/aclImdb", "aclImdb*.tar*", "imdb/aclImdb*.tar*")
_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
# Of each class, in train and in test.
_REVIEWS = 12_500


def read(data_dir: str | None) -> Corpus:
    """25,000 reviews to train and 25,000 to test; a tenth of the former is the validation split.

    It is stratified and fixed by content: duplicates, and reviews posted again with another
    ending, stay on one side. The official splits share 123 reviews, which stay where they are.

    Raises:
        UserError: the archive is damaged or not whole, or there is none and no network.
    """
    source = find_original(data_dir, *_PLACES)
    if source is not None:
        parts = _read(source)
    else:
        builder = tfds.builder("imdb_reviews")
        if not builder.is_prepared():
            check_download("imdb", _URL, f"the file of {_URL} at <folder>/imdb/aclImdb_v1.tar.gz")
        parts = read_prepared(builder, CLASS_NAMES, splits=("train", "test"))
    # TFDS shuffles: in the order of their texts, rows are the same wherever they came from.
    parts = {name: part.take(_by_text(part)) for name, part in parts.items()}
    rows = split_by_content(
        parts["train"].texts,
        parts["train"].targets[:, 1].tolist(),
        fractions={"train": 0.9, "validation": 0.1},
        form=_beginning,
    )
    splits = {name: parts["train"].take(rows[name]) for name in ("train", "validation")}
    splits["test"] = parts["test"]
    return Corpus("imdb", checksum_of(splits), CLASS_NAMES, False, splits)


def _beginning(text: str) -> str:
    return canonical(text[:1000])[:200]


def _by_text(part: LabelledTexts) -> list[int]:
    return sorted(range(len(part)), key=lambda row: (part.texts[row], part.targets[row, 1]))


def _read(source: Path) -> dict[str, LabelledTexts]:
    """`{train,test}/{neg,pos}/*.txt` of a folder or an archive; 3 s for the latter."""
    found = defaultdict(list)
    try:
        for path, content in (_unpacked if source.is_dir() else _packed)(source):
            *_, split, folder, name = PurePosixPath(path).parts
            if split in ("train", "test") and folder in _FOLDERS and name.endswith(".txt"):
                # TFDS strips them too.
                text = content.decode("utf-8").strip()
                found[split].append((text, _FOLDERS.index(folder)))
    except (OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        raise UserError(f"cannot read {source}: {error}. Get it from {_URL}") from None
    parts = {}
    for split in ("train", "test"):
        texts, labels = zip(*found[split], strict=True) if found[split] else ((), ())
        for label, folder in enumerate(_FOLDERS):
            if labels.count(label) != _REVIEWS:
                raise UserError(
                    f"{source} has {labels.count(label)} reviews in {split}/{folder}, expected "
                    f"{_REVIEWS}. Get it from {_URL}"
                )
        parts[split] = LabelledTexts.of(list(texts), labels, CLASS_NAMES)
    return parts


def _unpacked(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("*/*/*.txt"):
        yield path.as_posix(), path.read_bytes()


def _packed(archive: Path) -> Iterator[tuple[str, bytes]]:
    # As a stream: an archive of 50,000 files is read once, from its beginning to its end.
    with tarfile.open(archive, "r|*") as members:
        for member in members:
            if member.isfile() and member.name.count("/") == 3:
                yield member.name, members.extractfile(member).read()
