"""Users' own parallel texts: two aligned files, a table of two columns, or a TMX file."""

import csv
import gzip
import io
import lzma
from dataclasses import replace
from pathlib import Path

from data.errors import UserError, refuse_rows
from data.files import sha256
from data.parallel import Pair, ParallelCorpus, ParallelTexts, parallel_corpus, split_parallel
from data.parallel_columns import ParallelFiles
from data.splits import FRACTIONS
from data.tmx import read_tmx

_OPEN = {".gz": gzip.open, ".xz": lzma.open}


def read_parallel_files(path: str, files: ParallelFiles) -> ParallelCorpus:
    """Reads a file of pairs, and those of other splits where they have files of their own.

    Args:
        path: the sources, if `files` names a file of their translations; else a .tmx file, or a
            table with a pair a line: .csv, or cells between tabs.
        files: the other files, the languages and the columns.

    Raises:
        UserError: a file that cannot be used; bad lines are named by their numbers.
    """
    splits, unsplit = {}, _read(path, files.target_file, files)
    others = {
        "validation": (files.validation, files.validation_target),
        "test": (files.test, files.test_target),
    }
    for name, (file, target) in others.items():
        if file is not None:
            splits[name] = _read(file, target, files)
        elif target is not None:
            raise UserError(f"{target} has no sources. Add --{name}-file")
    wanted = {name: share for name, share in FRACTIONS.items() if name not in splits}
    if splits:
        # Pairs beside files of other splits are for training, but something must choose the epoch.
        wanted.pop("test", None)
    total = sum(wanted.values())
    shares = {name: share / total for name, share in wanted.items()}
    splits |= split_parallel(unsplit, fractions=shares) if len(wanted) > 1 else {"train": unsplit}
    corpus = parallel_corpus(Path(path).name, (files.source, files.target), splits)
    if files.target_file is None and not (files.validation or files.test):
        # A resumption compares it before anything is read.
        corpus = replace(corpus, checksum=sha256(Path(path)))
    return corpus


def _read(path: str, target: str | None, files: ParallelFiles) -> ParallelTexts:
    if target is not None:
        return read_aligned(path, target)
    if _suffix(path) == ".tmx":
        return read_tmx(path, files.source, files.target)
    return read_pairs(path, files.source, files.target, (files.source_column, files.target_column))


def _suffix(path: str) -> str:
    name = Path(path)
    return (name.with_suffix("") if name.suffix in _OPEN else name).suffix.lower()


def _bytes_of(path: str) -> bytes:
    """What a file holds, perhaps packed with gzip or xz."""
    try:
        with _OPEN.get(Path(path).suffix, open)(path, "rb") as file:
            return file.read()
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UserError(f"cannot read {path}: {error}. Check the file") from None


def _text_of(path: str) -> str:
    try:
        return _bytes_of(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"cannot read {path}: {error}. It should be UTF-8 text") from None


def _lines(path: str) -> list[str]:
    # Only line feeds end a line: texts may hold U+2028 and the like.
    text = _text_of(path).removesuffix("\n")
    return [line.removesuffix("\r") for line in text.split("\n")] if text else []


def read_aligned(source: str, target: str) -> ParallelTexts:
    """Two files, a text a line.

    Raises:
        UserError: they have different numbers of lines, or a line is empty on one side.
    """
    sides = [_lines(source), _lines(target)]
    if len(sides[0]) != len(sides[1]):
        raise UserError(
            f"{source} has {len(sides[0]):,} lines, {target} has {len(sides[1]):,}: they are not "
            "aligned. Line n of one must be the translation of line n of the other"
        )
    return _pairs(source, zip(*sides, strict=True))


def _pairs(path: str, rows, first: int = 1) -> ParallelTexts:
    """Pairs without white space at their ends; lines count from `first`."""
    pairs = [Pair(*(text.strip() for text in row)) for row in rows]
    empty = [number for number, pair in enumerate(pairs, first) if not all(pair)]
    refuse_rows(path, empty, "without a text on one side")
    if not pairs:
        raise UserError(f"{path} has no pair of texts. Check the file")
    return ParallelTexts(pairs)


def read_pairs(
    path: str, source: str, target: str, columns: tuple[int, int] = (0, 1)
) -> ParallelTexts:
    """A table, a pair a line: .csv with quotation marks, or else cells between tabs.

    A first line that names both languages is a header and says which columns they are; without
    one, `columns` does, counted from 0.

    Raises:
        UserError: a line lacks a column, or a text is empty.
    """
    if _suffix(path) == ".csv":
        rows = [row for row in csv.reader(io.StringIO(_text_of(path), newline="")) if row]
    else:
        rows = [line.split("\t") for line in _lines(path)]
    first = 1
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    found = {source.lower(), target.lower()} & set(names)
    if len(found) == 1:
        raise UserError(
            f"{path} has a header with {found.pop()!r}, but not both of {source!r} and {target!r}. "
            "Check --source and --target"
        )
    if found:
        columns = names.index(source.lower()), names.index(target.lower())
        rows, first = rows[1:], 2
    short = [number for number, row in enumerate(rows, first) if len(row) <= max(columns)]
    refuse_rows(path, short, f"without the columns {columns[0]} and {columns[1]}")
    return _pairs(path, ([row[column] for column in columns] for row in rows), first)
