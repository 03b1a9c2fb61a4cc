"""Users' own parallel texts: two aligned files, a table, objects of two columns, or a TMX file."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from data.errors import UserError, refuse_rows
from data.examples.parallel import Pair, ParallelCorpus, ParallelTexts, split_parallel
from data.examples.splits import FRACTIONS
from data.files.archives import open_unpacked, unpacked_name
from data.files.lines import is_utf8, read_stream_lines
from data.files.writing import sha256
from data.formats.delimited import read_csv_rows
from data.formats.readers import read_records
from data.formats.tmx import read_tmx
from data.user_files.columns import ParallelFiles
from data.user_files.parallel_columns import choose_columns

# Formats whose columns have names.
_NAMED_COLUMNS = {".jsonl", ".parquet"}
# Formats that may hold pairs of texts, but not line by line.
_OTHER_FORMATS = {
    ".doc",
    ".docx",
    ".json",
    ".mo",
    ".ods",
    ".pdf",
    ".po",
    ".sdlxliff",
    ".srt",
    ".vtt",
    ".xlf",
    ".xliff",
    ".xls",
    ".xlsx",
    ".xml",
}


def read_parallel_files(path: str, files: ParallelFiles) -> ParallelCorpus:
    """Reads a file of pairs, and the files of other splits if there are any.

    Args:
        path: the sources, if `files` names a file of their translations; otherwise a .tmx file,
            JSON lines or a .parquet file with the two columns, or a table with a pair a line: .csv,
            or cells between tabs.
        files: the other files, the languages and the columns.

    Raises:
        UserError: a file cannot be used; the message has the numbers of bad lines.
    """
    splits, unsplit = {}, _read_file(path, files.target_file, files)
    others = {
        "validation": (files.validation, files.validation_target),
        "test": (files.test, files.test_target),
    }
    for name, (file, target) in others.items():
        if file is not None:
            splits[name] = _read_file(file, target, files)
        elif target is not None:
            raise UserError(f"{target} has no sources. Add --{name}-file")
    wanted = {name: share for name, share in FRACTIONS.items() if name not in splits}
    if splits:
        # If other splits have files, these pairs are for training and the validation it needs.
        wanted.pop("test", None)
    total = sum(wanted.values())
    shares = {name: share / total for name, share in wanted.items()}
    splits |= split_parallel(unsplit, fractions=shares) if len(wanted) > 1 else {"train": unsplit}
    corpus = ParallelCorpus.from_splits(Path(path).name, (files.source, files.target), splits)
    if files.target_file is None and not (files.validation or files.test):
        # A resumed training compares the checksum before it reads anything.
        corpus = replace(corpus, checksum=sha256(Path(path)))
    return corpus


def _read_file(path: str, target: str | None, files: ParallelFiles) -> ParallelTexts:
    if target is not None:
        return read_aligned(path, target)
    if _suffix(path) == ".tmx":
        return read_tmx(path, files.source, files.target)
    if _suffix(path) in _NAMED_COLUMNS:
        return read_named_columns(path, files.source, files.target)
    return read_pairs(path, files.source, files.target, (files.source_column, files.target_column))


def _suffix(path: str) -> str:
    return Path(unpacked_name(path)).suffix.lower()


def _refuse_formats(path: str, formats: set[str]) -> None:
    if _suffix(path) in formats:
        raise UserError(
            f"{path}: pairs are read from .csv, .tsv, .jsonl, .parquet and .tmx files or from two "
            "files of aligned lines. Save it as one of these"
        )


def _read_lines(path: str, keep_ends: bool = False, **options: str) -> Iterator[str]:
    """Yields the lines of a text file, which may be packed; `options` are of `open_unpacked`.

    Raises:
        UserError: it cannot be read, or a line is not UTF-8 text.
    """
    with open_unpacked(path, **options) as file:
        for number, line in enumerate(read_stream_lines(file, path, keep_ends), 1):
            if not is_utf8(line):
                raise UserError(f"{path}: line {number} is not UTF-8. Save the file again as UTF-8")
            if "\0" in line:
                raise UserError(f"{path}: line {number} is not text. Check that the file is UTF-8")
            yield line


def read_aligned(source: str, target: str) -> ParallelTexts:
    """Reads two files, a text a line.

    Raises:
        UserError: they have different numbers of lines, a line is empty on one side, or their
            format is not one of lines.
    """
    for path in (source, target):
        _refuse_formats(path, {*_OTHER_FORMATS, *_NAMED_COLUMNS, ".tmx"})
    sides = [list(_read_lines(path)) for path in (source, target)]
    if len(sides[0]) != len(sides[1]):
        raise UserError(
            f"{source} has {len(sides[0]):,} lines, {target} has {len(sides[1]):,}: they are not "
            "aligned. Line n of one must be the translation of line n of the other"
        )
    return _make_pairs(source, enumerate(zip(*sides, strict=True), 1), (0, 1))


def read_pairs(
    path: str,
    source: str,
    target: str,
    columns: tuple[int | None, int | None] = (None, None),
) -> ParallelTexts:
    """Reads a table, a pair a line: .csv with quotation marks, or else cells between tabs.

    Args:
        path: the table, which may be packed.
        source, target: the languages, which a header may name.
        columns: the numbers of the columns, for a table whose header does not
            (`data.user_files.parallel_columns.choose_columns`).

    Raises:
        UserError: a line lacks a column, a text is empty, or a header is not understood.
    """
    _refuse_formats(path, _OTHER_FORMATS)
    rows = _read_rows(path)
    first = next(rows, None)
    if first is None:
        return _make_pairs(path, rows, (0, 1))
    choice = choose_columns(first[1], source, target, path, columns)
    if not choice.has_header:
        rows = itertools.chain([first], rows)
    # A bare comma would cut a text; a tab never stands in a text.
    cells = len(first[1]) if _suffix(path) == ".csv" else None
    return _make_pairs(path, rows, (choice.source, choice.target), cells)


def read_named_columns(path: str, source: str, target: str) -> ParallelTexts:
    """Reads JSON lines or a .parquet file, a pair a row; of a list of targets the first is that of
    the pair, and the others are right, too.

    Args:
        path: the file.
        source, target: the names of the columns.

    Raises:
        UserError: a row cannot be read, or lacks a text in one of the columns.
    """
    pairs, broken, missing, others = [], [], [], []
    for record in read_records(path):
        text, targets = (record.values.get(name) for name in (source, target))
        cells = [text, *(targets if isinstance(targets, list) and targets else [targets])]
        if record.problem:
            broken.append(record.number)
        elif not all(cell is None or isinstance(cell, str) for cell in cells):
            others.append(record.number)
        elif not all(isinstance(cell, str) and cell.strip() for cell in cells):
            missing.append(record.number)
        else:
            text, first, *more = (str(cell).strip() for cell in cells)
            pairs.append((Pair(text, first), tuple(more)))
    refuse_rows(path, broken, "that cannot be read")
    refuse_rows(path, others, f"whose {source!r} or {target!r} is not text")
    refuse_rows(path, missing, f"without a text in {source!r} and in {target!r}")
    if not pairs:
        raise UserError(f"{path} has no pair of texts. Check the file")
    return ParallelTexts.with_others(pairs)


def read_member(path: str, member: str, remedy: str) -> ParallelTexts:
    """Reads a file of a .zip, the two texts of a pair in the first two cells between tabs.

    Args:
        path: the archive.
        member: the name of the file in it, which has no header.
        remedy: what to do if it cannot be read.

    Raises:
        UserError: it cannot be read, a line lacks a cell, or a text is empty.
    """
    lines = _read_lines(path, member=member, remedy=remedy)
    return _make_pairs(path, ((n, line.split("\t")) for n, line in enumerate(lines, 1)), (0, 1))


def _make_pairs(
    path: str,
    rows: Iterable[tuple[int, Sequence[str]]],
    places: tuple[int, int],
    cells: int | None = None,
) -> ParallelTexts:
    """Returns the texts in two columns of numbered rows, without white space at their ends.

    Args:
        path: the file with the rows, for messages.
        rows: line numbers and cells.
        places: the columns, from 0.
        cells: the number that each row must have; None for any.
    """
    pairs, short, uneven, empty = [], [], [], []
    for number, row in rows:
        if len(row) <= max(places):
            short.append(number)
            continue
        pair = Pair(*(row[place].strip() for place in places))
        if cells not in (None, len(row)):
            uneven.append(number)
        if not all(pair):
            empty.append(number)
        pairs.append(pair)
    refuse_rows(path, short, f"without the columns {places[0]} and {places[1]}")
    refuse_rows(path, uneven, "with more or fewer cells than the first line (a bare comma?)")
    refuse_rows(path, empty, "without a text on one side")
    if not pairs:
        raise UserError(f"{path} has no pair of texts. Check the file")
    return ParallelTexts(pairs)


def _read_rows(path: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the cells of each row, and the number of the line in which it begins."""
    if _suffix(path) != ".csv":
        yield from ((number, line.split("\t")) for number, line in enumerate(_read_lines(path), 1))
        return
    for number, row, problem in read_csv_rows(_read_lines(path, keep_ends=True), path):
        if problem:
            raise UserError(f"{path}: line {number}: {problem}. Fix it")
        yield number, row
