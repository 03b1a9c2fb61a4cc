"""Rows of CSV, TSV, JSON lines, plain text, Parquet and transcript files, streamed.

A row that cannot be read is yielded with its number and what is wrong with it, in its place;
whoever reads decides whether to stop. Memory does not grow with the file.
"""

import codecs
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from data.errors import UserError, choose
from data.record import TEXT_COLUMN, Record
from data.transcripts import read_srt, read_vtt

STANDARD_STREAM = "-"
# A longer field is an unclosed quotation mark, not a text.
_LONGEST_FIELD = 16 * 2**20
_PARQUET_ROWS = 4096


def read_records(path: str) -> Iterator[Record]:
    """Streams the rows of a file; `-` reads standard input, one text a line.

    Bytes that are not UTF-8 come as lone surrogates (`surrogateescape`), so nothing is lost; in
    JSON lines, which are UTF-8 by definition, they make the row unreadable.

    Raises:
        UserError: no such file, an unknown format, UTF-16, or an unreadable Parquet file.
    """
    if path == STANDARD_STREAM:
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        yield from _read_lines(sys.stdin)
        return
    suffix = file_format(path, READERS)
    try:
        with Path(path).open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. Check the path") from None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{path} is UTF-16, UTF-8 is needed. Save it again as UTF-8")
    if suffix in (".parquet", ".srt", ".vtt"):
        yield from READERS[suffix](path)
        return
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        yield from READERS[suffix](file)


def file_format(path: str, table: dict) -> str:
    """The file's suffix, in lower case, if `table` has it.

    Raises:
        UserError: it has not.
    """
    suffix = Path(path).suffix.lower()
    try:
        choose("file format", suffix, table)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    return suffix


def _read_csv(file) -> Iterator[Record]:
    csv.field_size_limit(_LONGEST_FIELD)
    # strict: an unclosed quotation mark would else swallow the rest of the file as one good row.
    return _read_delimited(file, csv.reader(file, strict=True))


def _read_tsv(file) -> Iterator[Record]:
    # In tab-separated corpora a quotation mark is a sign like any other: quoting would swallow
    # lines. Only a cell that is quoted as a whole is unquoted.
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return _read_delimited(file, rows, _unquote)


def _unquote(cell: str) -> str:
    inner = cell[1:-1]
    if len(cell) < 2 or cell[0] + cell[-1] != '""' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"')


def _read_delimited(file, rows, clean=str) -> Iterator[Record]:
    header, number = None, 0
    while True:
        problem = ""
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            row, problem = [""], f"{error} (an unclosed quotation mark?)"
        if not row:
            continue
        row = [clean(cell) for cell in row]
        if header is None:
            header = row
            if len(set(header)) < len(header):
                twice = next(name for name in header if header.count(name) > 1)
                raise UserError(f"{file.name}: two columns are called {twice!r}. Rename one")
            continue
        number += 1
        if not problem and len(row) != len(header):
            problem = f"{len(row)} fields where the header has {len(header)}"
        cells = (row + [""] * len(header))[: len(header)]
        yield Record(number, dict(zip(header, cells, strict=True)), problem)


def _read_json_lines(file) -> Iterator[Record]:
    number = 0
    for line in file:
        if not line.strip():
            continue
        number += 1
        try:
            line.encode()
            values = json.loads(line)
        except UnicodeEncodeError:
            yield Record(number, {}, "not UTF-8")
        except (ValueError, RecursionError) as error:
            yield Record(number, {}, f"not JSON: {error}")
        else:
            if isinstance(values, dict):
                yield Record(number, _paired(values) if "\\u" in line else values)
            else:
                yield Record(number, {}, f"not a JSON object: {line.strip()[:40]}")


def _paired(value):
    """JSON may escape half of a surrogate pair, which no UTF-8 file can hold: U+FFFD instead."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_paired(part) for part in value]
    if isinstance(value, dict):
        return {_paired(name): _paired(part) for name, part in value.items()}
    return value


def _read_lines(file) -> Iterator[Record]:
    for number, line in enumerate(file, 1):
        yield Record(number, {TEXT_COLUMN: line.rstrip("\r\n")})


def _read_parquet(path: str) -> Iterator[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
                for values in batch.to_pylist():
                    number += 1
                    yield Record(number, values)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"cannot read {path} as Parquet: {str(error).splitlines()[0]}") from None


READERS = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".txt": _read_lines,
    ".parquet": _read_parquet,
    ".srt": read_srt,
    ".vtt": read_vtt,
}
# What has no names of columns, or always the same: the texts stand in `TEXT_COLUMN`.
TEXT_FORMATS = (".txt", ".srt", ".vtt")
