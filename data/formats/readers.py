"""Rows of CSV, TSV, JSON lines, plain text, Parquet and transcript files, streamed.

A row that cannot be read is yielded in its place, with its number and its problem; the caller
decides whether to stop. Memory does not grow with the file.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from data.errors import UserError, choose
from data.files.lines import is_utf8, read_lines, read_stream_lines
from data.formats.delimited import read_csv, read_tsv
from data.formats.parquet import read_parquet
from data.formats.record import TEXT_COLUMN, Record
from data.formats.suffixes import STANDARD_STREAM, SUBTITLE_SUFFIXES
from data.formats.transcripts import read_srt, read_vtt

# JSON that is nested deeper than this would exhaust the stack.
_DEEPEST = 100


def read_records(path: str) -> Iterator[Record]:
    """Streams the rows of a file; `-` reads standard input, one text a line.

    Bytes that are not UTF-8 come as lone surrogates (`surrogateescape`), so nothing is lost; in
    JSON lines, which are UTF-8 by definition, they make the row unreadable.

    Raises:
        UserError: no such file, an unknown format, UTF-16, a line of more than 16 MiB, a header
            or a Parquet file that cannot be read.
    """
    if path != STANDARD_STREAM:
        yield from READERS[file_format(path, READERS)](path)
    elif sys.stdin is not None:
        yield from _read_texts(read_stream_lines(sys.stdin.buffer, "standard input"))


def file_format(path: str, table: Mapping[str, object]) -> str:
    """Returns the suffix of a file in lower case.

    Args:
        path: the file.
        table: readers or writers by suffix.

    Raises:
        UserError: `table` does not have the suffix.
    """
    suffix = Path(path).suffix.lower()
    try:
        choose("file format", suffix, table)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    return suffix


def _read_text_file(path: str) -> Iterator[Record]:
    return _read_texts(read_lines(path))


def _read_texts(lines: Iterable[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        yield Record(number, {TEXT_COLUMN: line})


def _read_json_lines(path: str) -> Iterator[Record]:
    filled = (line for line in read_lines(path) if line.strip())
    for number, line in enumerate(filled, 1):
        if not is_utf8(line):
            yield Record(number, {}, "not UTF-8")
            continue
        try:
            values = json.loads(line, object_pairs_hook=_to_object)
        except (ValueError, RecursionError) as error:
            yield Record(number, {}, f"not JSON: {error}")
            continue
        if not isinstance(values, dict):
            yield Record(number, {}, f"not a JSON object: {line.strip()[:40]}")
        elif _is_deeper(values, line):
            yield Record(number, {}, f"nested deeper than {_DEEPEST} levels")
        else:
            yield Record(number, _join_surrogates(values) if "\\u" in line else values)


def _to_object(pairs: list[tuple]) -> dict:
    values = dict(pairs)
    if len(values) < len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the name {repeated!r} stands twice in an object")
    return values


def _is_deeper(value: dict, line: str) -> bool:
    """Returns whether lists and objects are nested deeper than `_DEEPEST` levels."""
    if line.count("[") + line.count("{") <= _DEEPEST:
        return False
    level: list[dict | list] = [value]
    for _ in range(_DEEPEST):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return bool(level)


def _join_surrogates(value: Any) -> Any:
    """Joins surrogates that JSON escaped; half a pair, which UTF-8 cannot hold, becomes U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_join_surrogates(part) for part in value]
    if isinstance(value, dict):
        return {_join_surrogates(name): _join_surrogates(part) for name, part in value.items()}
    return value


READERS = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".jsonl": _read_json_lines,
    ".txt": _read_text_file,
    ".parquet": read_parquet,
    ".srt": read_srt,
    ".vtt": read_vtt,
}
# Formats without column names, or with fixed ones: their texts stand in `TEXT_COLUMN`.
TEXT_FORMATS = (".txt", *SUBTITLE_SUFFIXES)
