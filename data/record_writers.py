"""Rows out to CSV, TSV, JSON lines or Parquet files, streamed; the twin of `data.records`."""

import csv
import json
import sys
from contextlib import contextmanager
from pathlib import Path

from data.files import whole_file
from data.records import STANDARD_STREAM, file_format

_PARQUET_ROWS = 4096


@contextmanager
def record_writer(path: str):
    """Yields a function that takes one row, a dict; `-` writes JSON lines to standard output.

    The file appears when all rows are written, or not at all. All rows have the first one's
    columns.

    Raises:
        UserError: an unknown format, or a place that cannot be written.
    """
    if path == STANDARD_STREAM:
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        yield _JsonLinesWriter(sys.stdout).write
        sys.stdout.flush()
        return
    writer_class = WRITERS[file_format(path, WRITERS)]
    with whole_file(Path(path)) as partial, writer_class.open(partial) as writer:
        yield writer.write


class _TextWriter:
    """Writes rows to a text file."""

    def __init__(self, file):
        self.file = file

    @classmethod
    @contextmanager
    def open(cls, path: Path):
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield cls(file)


class _CsvWriter(_TextWriter):
    delimiter = ","
    writer = None

    def write(self, row: dict) -> None:
        if self.writer is None:
            self.writer = csv.DictWriter(self.file, list(row), delimiter=self.delimiter)
            self.writer.writeheader()
        self.writer.writerow(row)


class _TsvWriter(_CsvWriter):
    delimiter = "\t"


class _JsonLinesWriter(_TextWriter):
    def write(self, row: dict) -> None:
        self.file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


class _ParquetWriter:
    """Writes rows to a Parquet file, a row group at a time; types follow the first group."""

    def __init__(self, path: Path):
        self.path, self.rows, self.writer = path, [], None

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
        self.rows.append({name: _valid(value) for name, value in row.items()})
        if len(self.rows) == _PARQUET_ROWS:
            self.flush()

    def flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        schema = None if self.writer is None else self.writer.schema
        table = pyarrow.Table.from_pylist(self.rows, schema=schema)
        if self.writer is None:
            self.writer = pyarrow.parquet.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table)
        self.rows = []


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
