"""Rows out to CSV, TSV, JSON lines or Parquet files, streamed; the twin of `data.records`."""

import csv
import json
import re
import sys
from contextlib import contextmanager
from pathlib import Path

from data.errors import UserError
from data.files import whole_file
from data.records import STANDARD_STREAM, file_format

_PARQUET_ROWS = 4096


@contextmanager
def record_writer(path: str):
    """Yields a function that takes one row, a dict; `-` writes JSON lines to standard output.

    The file appears when all rows are written, or not at all. Except in JSON lines, all rows have
    the first one's columns, and in Parquet the types of the first thousands.

    Raises:
        UserError: an unknown format, a place that cannot be written, or a row that does not fit.
    """
    if path == STANDARD_STREAM:
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        yield _JsonLinesWriter(sys.stdout).write
        sys.stdout.flush()
        return
    writer_class = WRITERS[file_format(path, WRITERS)]
    with whole_file(Path(path)) as partial, writer_class.open(partial) as writer:
        yield writer.write


def _aligned(row: dict, columns: list[str]) -> list:
    """The row's cells in the order of the columns; a missing one is None.

    Raises:
        UserError: the row has a column that the first one lacks.
    """
    if row.keys() - columns:
        name = min(row.keys() - columns)
        raise UserError(
            f"a row has a column {name!r} that the first one lacks. Write .jsonl instead"
        )
    return [row.get(name) for name in columns]


class _TextWriter:
    """Writes rows to a text file."""

    def __init__(self, file):
        self.file = file

    @classmethod
    @contextmanager
    def open(cls, path: Path):
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield cls(file)


class _JsonLinesWriter(_TextWriter):
    def write(self, row: dict) -> None:
        self.file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


class _CsvWriter(_TextWriter):
    def __init__(self, file):
        super().__init__(file)
        self.write_cells = csv.writer(file).writerow
        self.columns = None

    def write(self, row: dict) -> None:
        if self.columns is None:
            self.columns = list(row)
            self.write_cells(self.columns)
        self.write_cells(_aligned(row, self.columns))


class _TsvWriter(_CsvWriter):
    def __init__(self, file):
        super().__init__(file)
        self.write_cells = self._write_cells

    def _write_cells(self, cells: list) -> None:
        self.file.write("\t".join(map(_tsv_cell, cells)) + "\n")


def _tsv_cell(value) -> str:
    """Tabs and line ends cannot stand in a cell; quotation marks around all of it are doubled,
    since `data.records` takes them off."""
    cell = "" if value is None else re.sub(r"[\t\r\n]+", " ", str(value))
    if len(cell) > 1 and cell[0] + cell[-1] == '""':
        return '"' + cell.replace('"', '""') + '"'
    return cell


class _ParquetWriter:
    """Writes rows to a Parquet file, a row group at a time; types follow the first group."""

    def __init__(self, path: Path):
        self.path, self.rows, self.columns, self.writer = path, [], None, None

    @classmethod
    @contextmanager
    def open(cls, path: Path):
        writer = cls(path)
        try:
            yield writer
            writer.flush()
        finally:
            if writer.writer is not None:
                writer.writer.close()

    def write(self, row: dict) -> None:
        self.columns = self.columns or list(row)
        self.rows.append([_valid(value) for value in _aligned(row, self.columns)])
        if len(self.rows) == _PARQUET_ROWS:
            self.flush()

    def flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.columns or [])
        try:
            table = pyarrow.table(dict(zip(self.columns or [], columns, strict=True)))
            if self.writer is None:
                schema = pyarrow.schema([_typed(field) for field in table.schema])
                self.writer = pyarrow.parquet.ParquetWriter(self.path, schema)
            self.writer.write_table(table.cast(self.writer.schema))
        except pyarrow.ArrowException as error:
            raise UserError(
                f"cells of one column differ in type ({str(error).splitlines()[0]}). "
                "Write .jsonl instead"
            ) from None
        self.rows = []


def _typed(field):
    """A column that is empty in the first group may hold text later."""
    import pyarrow

    return field.with_type(pyarrow.string()) if pyarrow.types.is_null(field.type) else field


def _valid(value):
    """Parquet holds valid UTF-8 alone: bytes that were not (surrogates here) become U+FFFD."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


WRITERS = {
    ".csv": _CsvWriter,
    ".tsv": _TsvWriter,
    ".jsonl": _JsonLinesWriter,
    ".parquet": _ParquetWriter,
}
