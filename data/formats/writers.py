"""Writes rows to CSV, TSV, JSON lines or Parquet files, streamed, as `data.formats.readers` reads
them."""

import abc
import csv
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from data.errors import UserError
from data.files.lines import replace_surrogates
from data.files.writing import whole_file
from data.formats.delimited import column_name
from data.formats.parquet import read_parquet_schema
from data.formats.readers import file_format
from data.formats.record import flatten_row
from data.formats.suffixes import STANDARD_STREAM

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

# The rows of a row group of Parquet; fewer if they have more characters than this.
_PARQUET_ROWS = 4096
_PARQUET_CHARACTERS = 2**26
# A spreadsheet runs a cell that begins with one of these as a formula.
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_LINE_SIGNS = re.compile(r"[\t\r\n]+")


@contextmanager
def record_writer(
    path: str, like: str | None = None, csv_safe: bool = False
) -> Iterator[Callable[[dict], None]]:
    """Yields a function that writes one row, a dict.

    The file appears when all rows are written, or not at all. Except in JSON lines, all rows have
    the columns of the first one. In Parquet columns have the types of `like`, or else those of the
    first thousands of rows. In JSON lines and Parquet, which are UTF-8 by definition, each byte
    that is not UTF-8 becomes U+FFFD.

    Args:
        path: a file, or `-` for JSON lines to standard output.
        like: the input file whose rows are written with more columns, or None.
        csv_safe: whether CSV and TSV get an apostrophe before each cell that a spreadsheet would
            run as a formula.

    Raises:
        UserError: the format is unknown, the file cannot be written, or a row does not fit into it.
    """
    if path == STANDARD_STREAM:
        sys.stdout.reconfigure(  # type: ignore[union-attr]
            encoding="utf-8", errors="surrogateescape"
        )
        lines = JsonLinesWriter(sys.stdout)
        yield lambda row: lines.write(flatten_row(row))
        sys.stdout.flush()
        return
    writer_class = WRITERS[file_format(path, WRITERS)]
    with whole_file(Path(path)) as partial, writer_class.open(partial, like, csv_safe) as writer:
        yield lambda row: writer.write(flatten_row(row))


def _align(row: dict, columns: list[str]) -> list:
    """Returns the cells of a row in the order of the columns; a missing one is None.

    Raises:
        UserError: the row has a column that the first one lacks.
    """
    if row.keys() - columns:
        name = min(row.keys() - columns)
        raise UserError(
            f"a row has a column {name!r} that the first one lacks. Write .jsonl instead"
        )
    return [row.get(name) for name in columns]


def to_json(value: object) -> str:
    """Returns a value as valid JSON in one line.

    NaN and infinity, which JSON lacks, become null; each byte that was not UTF-8 becomes U+FFFD.

    Args:
        value: numbers, texts, lists and dicts; anything else, such as a date, becomes a text.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_to_text)
    except ValueError:
        text = json.dumps(_replace_nan(value), ensure_ascii=False, default=_to_text)
    return replace_surrogates(text)


def _to_text(value: object) -> str:
    """Returns the text for a value that JSON cannot hold, such as a date or bytes."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _replace_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replace_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class RowWriter(abc.ABC):
    """Writes rows to a file of one format."""

    @classmethod
    @abc.abstractmethod
    def open(cls, path: Path, like: str | None, csv_safe: bool) -> AbstractContextManager[Self]:
        """Opens a writer; the arguments are those of `record_writer`."""

    @abc.abstractmethod
    def write(self, row: dict) -> None:
        """Writes one row."""


class _TextWriter(RowWriter):
    """Writes rows to a text file."""

    def __init__(self, file: TextIO, csv_safe: bool = False):
        self.file, self.csv_safe = file, csv_safe

    @classmethod
    @contextmanager
    def open(cls, path: Path, like: str | None, csv_safe: bool) -> Iterator[Self]:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield cls(file, csv_safe)


class JsonLinesWriter(_TextWriter):
    """Writes each row as a JSON object in a line."""

    def write(self, row: dict) -> None:
        self.file.write(to_json(row) + "\n")


class _DelimitedWriter(_TextWriter):
    """Writes rows of cells with the columns of the first row."""

    columns: list[str] | None = None

    def write(self, row: dict) -> None:
        if self.columns is None:
            self.columns = list(row)
            self._write_header(self._names(self.columns))
        self._write_cells([self._cell(value) for value in _align(row, self.columns)])

    @abc.abstractmethod
    def _write_header(self, names: list[str]) -> None: ...

    @abc.abstractmethod
    def _write_cells(self, cells: list) -> None: ...

    def _names(self, columns: list[str]) -> list[str]:
        """Returns the names of the columns as they will be read.

        Raises:
            UserError: two names would be the same.
        """
        places: dict[str, str] = {}
        for name in columns:
            cell = str(self._cell(self._clean(name.encode("utf-8", "backslashreplace").decode())))
            if places.setdefault(cell, name) != name:
                raise UserError(
                    f"the columns {places[cell]!r} and {name!r} would have the same name. Write "
                    ".jsonl instead"
                )
        return list(places)

    def _clean(self, name: str) -> str:
        return column_name(name)

    def _cell(self, value: object) -> object:
        """Returns a cell that can be read again: lists and objects become JSON."""
        if isinstance(value, bytes):
            value = _to_text(value)
        elif isinstance(value, list | dict):
            value = to_json(value)
        if self.csv_safe and isinstance(value, str) and _FORMULA.match(value):
            return f"'{value}"
        return value


class CsvWriter(_DelimitedWriter):
    """Writes cells between commas."""

    def _write_header(self, names: list[str]) -> None:
        # A name in quotation marks gives no hint of a delimiter, whatever it contains.
        hints = any(re.search(r"[;\t|]|^sep=", name) for name in names)
        writer = csv.writer(self.file, quoting=csv.QUOTE_ALL if hints else csv.QUOTE_MINIMAL)
        writer.writerow(names)

    def _write_cells(self, cells: list) -> None:
        csv.writer(self.file).writerow(cells)


class TsvWriter(_DelimitedWriter):
    """Writes cells between tabs."""

    def _clean(self, name: str) -> str:
        return column_name(_LINE_SIGNS.sub(" ", name))

    def _write_header(self, names: list[str]) -> None:
        self._write_cells(names)

    def _write_cells(self, cells: list) -> None:
        # An empty line would not be a row.
        self.file.write(("\t".join(map(_tsv_cell, cells)) or '""') + "\n")


def _tsv_cell(value: object) -> str:
    """Returns a cell without tabs and line ends; quotation marks around all of it are doubled,
    since `data.formats.readers` removes them."""
    cell = "" if value is None else _LINE_SIGNS.sub(" ", str(value))
    if len(cell) > 1 and cell[0] + cell[-1] == '""':
        return '"' + cell.replace('"', '""') + '"'
    return cell


class ParquetWriter(RowWriter):
    """Writes rows to a Parquet file, a row group at a time.

    A column of the input keeps its type; the type of a new one follows from the first row group.
    """

    def __init__(self, path: Path, like: str | None):
        self.path, self.characters = path, 0
        self.rows: list[list] = []
        self.columns: list[str] | None = None
        self.writer: pyarrow.parquet.ParquetWriter | None = None
        self.given = _read_types(like)
        self.inferred: dict[str, pyarrow.DataType] = {}

    @classmethod
    @contextmanager
    def open(cls, path: Path, like: str | None, csv_safe: bool) -> Iterator[Self]:
        writer = cls(path, like)
        try:
            yield writer
            if writer.rows or writer.writer is None:
                writer.flush()
        finally:
            if writer.writer is not None:
                writer.writer.close()

    def write(self, row: dict) -> None:
        self.columns = self.columns or list(row)
        self.rows.append(_align(row, self.columns))
        self.characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(self.rows) == _PARQUET_ROWS or self.characters > _PARQUET_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.columns or [])
        # Arrow raises TypeError, ValueError or OverflowError if none of its types holds a value.
        try:
            arrays = {
                name: self._array(name, cells)
                for name, cells in zip(self.columns or [], columns, strict=True)
            }
            names = [name.encode("utf-8", "backslashreplace").decode() for name in arrays]
            table = pyarrow.table(list(arrays.values()), names=names)
            if self.writer is None:
                self.writer = pyarrow.parquet.ParquetWriter(self.path, table.schema)
            self.writer.write_table(table)
        except (pyarrow.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise UserError(
                "cells of one column differ in type, or do not fit into Parquet "
                f"({str(error).splitlines()[0]}). Write .jsonl instead"
            ) from None
        self.rows, self.characters = [], 0

    def _array(self, name: str, cells: tuple) -> "pyarrow.Array":
        """Returns the cells of a column in its type."""
        import pyarrow

        kind = self.given.get(name)
        if isinstance(kind, pyarrow.BaseExtensionType):
            return pyarrow.ExtensionArray.from_storage(kind, _to_arrow(cells, kind.storage_type))
        if kind is not None:
            return _to_arrow(cells, kind)
        array = _to_arrow(cells)
        # Arrow would make 0 of 0.5 if the type were given; a cast fails.
        return array.cast(self.inferred.setdefault(name, _without_null(array.type)))


def _read_types(like: str | None) -> dict:
    """Returns the types of a Parquet file's columns; none for another file."""
    if like is None or Path(like).suffix.lower() != ".parquet":
        return {}
    schema = read_parquet_schema(like)
    return dict(zip(schema.names, schema.types, strict=True))


def _to_arrow(cells: tuple, kind: "pyarrow.DataType | None" = None) -> "pyarrow.Array":
    import pyarrow

    try:
        return pyarrow.array(cells, kind)
    except UnicodeError:
        return pyarrow.array([_to_utf8(cell) for cell in cells], kind)


def _to_utf8(value: Any) -> Any:
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, list | tuple):
        return [_to_utf8(part) for part in value]
    if isinstance(value, dict):
        return {_to_utf8(name): _to_utf8(part) for name, part in value.items()}
    return value


def _without_null(kind: "pyarrow.DataType") -> "pyarrow.DataType":
    """Returns a type with text in place of null: cells of later row groups may hold text."""
    import pyarrow

    types = pyarrow.types
    if types.is_null(kind):
        return pyarrow.string()
    if types.is_list(kind):
        return pyarrow.list_(_without_null(kind.value_type))
    if types.is_struct(kind):
        return pyarrow.struct([field.with_type(_without_null(field.type)) for field in kind])
    return kind


WRITERS: dict[str, type[RowWriter]] = {
    ".csv": CsvWriter,
    ".tsv": TsvWriter,
    ".jsonl": JsonLinesWriter,
    ".parquet": ParquetWriter,
}
