"""Rows of CSV and TSV files, streamed: the delimiter, the header, and cells by column name."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from data.errors import UserError, list_values
from data.files.lines import LONGEST_LINE, is_utf8, read_lines
from data.formats.record import Record
from data.messages import warn

# The number of columns in a sheet of Excel.
MOST_COLUMNS = 16_384
# Excel writes semicolons where the comma is the decimal point.
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# The line that names the delimiter for Excel.
_DELIMITER_LINE = re.compile(r"sep=([,;:|\t])", re.IGNORECASE)
# A header with line ends in its cells may have several.
_LINES_OF_A_HEADER = 100
# Replaces a carriage return inside of a line, which `csv` would take for a line end. No decoder of
# UTF-8 yields this surrogate.
_RETURN = "\ud800"


def read_csv(path: str) -> Iterator[Record]:
    """Yields the rows of a file of cells between commas, semicolons, tabs or vertical bars.

    The delimiter is the first of these between which the header has several cells.

    Args:
        path: the file; its header stands in the first line that is not empty.

    Raises:
        UserError: the file or its header cannot be read, or columns have the same name.
    """
    rows = read_csv_rows(read_lines(path, keep_ends=True), path)
    return _read_rows(path, ((cells, problem) for _, cells, problem in rows))


def read_csv_rows(lines: Iterable[str], path: str) -> Iterator[tuple[int, list[str], str]]:
    """Yields the rows of lines with cells between commas, semicolons, tabs or vertical bars.

    Args:
        lines: the lines of a file, with their ends.
        path: the file, for messages.

    Yields:
        The number of the line in which the row begins, its cells, and what is wrong with it.
    """
    csv.field_size_limit(LONGEST_LINE)
    *trials, first, lines = itertools.tee(lines, len(_DELIMITERS) + 2)
    hint = _DELIMITER_LINE.fullmatch(next(first, "").rstrip("\r\n"))
    delimiter = hint[1] if hint else _detect_delimiter(trials, path)
    # `tee` would keep every line for them.
    del trials, first
    rows = _RowLines(lines)
    if hint:
        next(rows)
    # Unless `strict`, an unclosed quotation mark makes one good row of the rest of the file.
    yield from _parse(csv.reader(rows, delimiter=delimiter, strict=True), rows)


def find_delimiter(path: str) -> str:
    """Finds what stands between the cells of a file, such as `commas`.

    Args:
        path: a .csv or .tsv file.

    Raises:
        UserError: it cannot be read.
    """
    if path.lower().endswith(".tsv"):
        return _DELIMITERS["\t"]
    lines = [*itertools.islice(read_lines(path, keep_ends=True), _LINES_OF_A_HEADER)]
    hint = _DELIMITER_LINE.fullmatch(lines[0].rstrip("\r\n")) if lines else None
    trials = [lines] * len(_DELIMITERS)
    return _DELIMITERS.get(hint[1] if hint else _detect_delimiter(trials, path, tell=False), "")


def _detect_delimiter(trials: Sequence[Iterable[str]], path: str, tell: bool = True) -> str:
    """Returns the first delimiter that cuts the first row; each trial reads the same lines."""
    for delimiter, lines in zip(_DELIMITERS, trials, strict=True):
        rows = _RowLines(lines)
        parsed = _parse(csv.reader(rows, delimiter=delimiter, strict=True), rows)
        _, cells, problem = next(parsed, (0, [], ""))
        if len(cells) > 1 and not problem:
            if tell and delimiter != ",":
                warn(f"{path}: cells between {_DELIMITERS[delimiter]}")
            return delimiter
    return ","


class _RowLines:
    """Lines for `csv.reader`, which joins the lines of one row: at most 16 MiB of them."""

    def __init__(self, lines: Iterable[str]):
        self._lines, self._size, self._number = iter(lines), 0, 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self._size += len(line)
        if self._size > LONGEST_LINE:
            raise csv.Error(f"a row of more than {LONGEST_LINE // 2**20} MiB")
        body = line.rstrip("\r\n")
        return body.replace("\r", _RETURN) + line[len(body) :] if "\r" in body else line

    def begin_row(self) -> int:
        """Returns the number of the row's first line."""
        self._size = 0
        return self._number + 1


def _parse(rows: Iterator[list[str]], lines: _RowLines) -> Iterator[tuple[int, list[str], str]]:
    """Yields the number of the first line, the cells and the problem of each row."""
    while True:
        number = lines.begin_row()
        try:
            row, problem = next(rows), ""
        except StopIteration:
            return
        except csv.Error as error:
            row, problem = [""], f"{error} (an unclosed quotation mark?)"
        if row:
            yield number, [cell.replace(_RETURN, "\r") for cell in row], problem


def read_tsv(path: str) -> Iterator[Record]:
    """Yields the rows of a file of cells between tabs.

    Args:
        path: the file; its header stands in the first line that is not empty.

    Raises:
        UserError: as `read_csv`.
    """
    # In tab-separated corpora a quotation mark has no meaning: quoting would swallow lines. Only a
    # cell that is quoted as a whole is unquoted.
    rows = ([_unquote(cell) for cell in line.split("\t")] for line in read_lines(path) if line)
    return _read_rows(path, ((row, "") for row in rows))


def _unquote(cell: str) -> str:
    inner = cell[1:-1]
    if len(cell) < 2 or cell[0] + cell[-1] != '""' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"')


def _read_rows(path: str, rows: Iterator[tuple[list[str], str]]) -> Iterator[Record]:
    header = _read_header(path, *next(rows, ([], "")))
    for number, (row, problem) in enumerate(rows, 1):
        if not problem and len(row) != len(header):
            problem = f"{len(row)} fields where the header has {len(header)}"
        # A row that is too short gets fewer columns. If it were filled, a small file of a wide
        # header and empty rows would take endless time and memory.
        yield Record(number, dict(zip(header, row, strict=False)), problem)


def _read_header(path: str, cells: list[str], problem: str) -> list[str]:
    """Returns the names of the columns, without white space around them.

    A single column without a name gets the empty name; several are named by their places.
    """
    if problem:
        raise UserError(f"cannot read the header of {path}: {problem}. Check its first line")
    if len(cells) > MOST_COLUMNS:
        raise UserError(
            f"{path} has {len(cells):,} columns, {MOST_COLUMNS:,} are read at most. Keep those "
            "that are needed"
        )
    names = [column_name(cell) for cell in cells]
    if not is_utf8("".join(names)):
        raise UserError(f"the header of {path} is not UTF-8. Convert the file to UTF-8")
    if names.count("") > 1:
        unnamed = [f"column {place}" for place, name in enumerate(names, 1) if not name]
        names = [name or f"column {place}" for place, name in enumerate(names, 1)]
        warn(f"{path}: columns without a name are called {list_values(unnamed)}")
    refuse_repeated(names, path)
    return names


def column_name(cell: str) -> str:
    """Returns the name in a cell of a header, without white space and byte order mark."""
    return cell.replace("\ufeff", "").strip()


def refuse_repeated(names: Iterable[str], path: str) -> None:
    """Refuses a file with two columns of the same name: one would hide the other.

    Args:
        names: of all columns.
        path: the file.

    Raises:
        UserError: two columns have the same name.
    """
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise UserError(f"{path}: two columns are called {repeated!r}. Rename one")
