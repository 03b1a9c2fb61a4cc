"""Lengths and words of real texts, from the corpora's original files.

Words are what stands between white space, numbered by a hash: the benchmarks need real lengths and
word frequencies, not a vocabulary.
"""

import csv
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.errors import UserError, choose
from harness.task import VOCABULARY_SIZE

MAX_LENGTH = 400


def _imdb(path: Path) -> Iterator[str]:
    with tarfile.open(path) as archive:
        for member in archive:
            parts = Path(member.name).parts
            if member.isfile() and parts[1:2] == ("train",) and parts[2] in ("neg", "pos"):
                yield archive.extractfile(member).read().decode("utf-8")


def _davidson(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["tweet"]


def _sst2(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for row in file:
            yield row.rpartition("\t")[0]


def _multi30k(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from file


# File below the data folder, and what reads its texts.
CORPORA = {
    "imdb": ("imdb/aclImdb_v1.labelled.tar.xz", _imdb),
    "davidson": ("davidson/labeled_data.csv", _davidson),
    "multi30k": ("multi30k/train.en.gz", _multi30k),
    "sst2": ("sst2/train.tsv", _sst2),
}


def token_ids(
    corpus: str, data_dir: str, rows: int, max_length: int | None = MAX_LENGTH
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the words of a sample of a corpus' training texts, as numbers.

    Args:
        corpus: a name in `CORPORA`.
        data_dir: the folder with a folder for each corpus.
        rows: at most so many, drawn with a fixed seed; 0 for all.
        max_length: words kept of a text; None for all.

    Returns:
        ids: <int32>[tokens], none of them 0, the texts one after the other.
        lengths: <int64>[rows], 1 to `max_length`.

    Raises:
        UserError: the corpus is not there.
    """
    name, read = choose("corpus", corpus, CORPORA)
    path = Path(data_dir) / name
    if not path.is_file():
        raise UserError(f"no {path}. Pass the folder of the corpora with --data-dir")
    texts = list(read(path))
    if 0 < rows < len(texts):
        drawn = np.random.default_rng(0).choice(len(texts), rows, replace=False)
        texts = [texts[i] for i in drawn]
    # An empty text still has one step.
    words = [text.split()[:max_length] or [""] for text in texts]
    ids = [1 + zlib.crc32(word.encode()) % (VOCABULARY_SIZE - 1) for row in words for word in row]
    return np.array(ids, np.int32), np.array([len(row) for row in words], np.int64)
