"""Writes texts with entities to JSON lines, columns of tokens (CoNLL), tables or a page, streamed.

Each file is valid UTF-8: U+FFFD replaces each byte that was not, so that positions stay right.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from data.errors import UserError
from data.files.lines import replace_surrogates
from data.files.writing import whole_file
from data.formats.html_page import ENTITY_STYLE, begin_page, mark_entities
from data.formats.suffixes import STANDARD_STREAM
from data.formats.writers import CsvWriter, TsvWriter, to_json

_PAGE = begin_page("Entities", f"p {{ white-space: pre-wrap }}\n{ENTITY_STYLE}")


def choose_format(path: str, format: str | None) -> str:
    """Chooses the format of an output by the path's suffix, unless one is given.

    Args:
        path: a file, or `-` for JSON lines.
        format: a name in `ENTITY_WRITERS`, or None.

    Raises:
        UserError: the suffix is that of no format.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if format is None and path != STANDARD_STREAM and suffix not in ENTITY_WRITERS:
        raise UserError(
            f"{path}: unknown file format {suffix!r}. Choose one of {', '.join(ENTITY_WRITERS)} "
            "with --format"
        )
    return format or (suffix if suffix in ENTITY_WRITERS else "jsonl")


@contextmanager
def entity_writer(
    path: str, format: str | None, column: str, csv_safe: bool = False
) -> Iterator[Callable[[dict], object]]:
    """Yields a function that writes one row with `entities` and `tagged_tokens`.

    The file appears when all rows are written, or not at all.

    Args:
        path: a file, or `-` for standard output.
        format: a name in `ENTITY_WRITERS`, or None for the format of the path's suffix.
        column: the column with the texts.
        csv_safe: as in `data.formats.writers.record_writer`; positions do not count the apostrophe.

    Raises:
        UserError: the format is unknown, or the file cannot be written.
    """
    open_writer = ENTITY_WRITERS[choose_format(path, format)]
    if path == STANDARD_STREAM:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        write = open_writer(sys.stdout, column, csv_safe)
        yield lambda row: write(_repair_row(row, column))
        sys.stdout.flush()
        return
    with (
        whole_file(Path(path)) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        write = open_writer(file, column, csv_safe)
        yield lambda row: write(_repair_row(row, column))


def _repair_row(row: dict, column: str) -> dict:
    """Makes the texts of a row valid UTF-8, and the texts of its entities parts of its text."""
    row = {_repair(name): _repair(value) for name, value in row.items()}
    text = row.get(_repair(column))
    if row["entities"] and isinstance(text, str):
        row["entities"] = [
            {**entity, "text": text[entity["start"] : entity["end"]]} for entity in row["entities"]
        ]
    return row


def _repair(value: object) -> object:
    return replace_surrogates(value) if isinstance(value, str) else value


def _write_json_lines(file: TextIO, column: str, csv_safe: bool) -> Callable[[dict], object]:
    def write(row: dict) -> None:
        file.write(to_json(_columns(row)) + "\n")

    return write


def _write_columns(file: TextIO, column: str, csv_safe: bool) -> Callable[[dict], object]:
    def write(row: dict) -> None:
        for token in row["tagged_tokens"]:
            file.write(f"{token['token']}\t{token['score']}\t{token['tag']}\n")
        file.write("\n")

    return write


def _write_csv(file: TextIO, column: str, csv_safe: bool) -> Callable[[dict], object]:
    writer = CsvWriter(file, csv_safe)
    return lambda row: writer.write(_columns(row))


def _write_tsv(file: TextIO, column: str, csv_safe: bool) -> Callable[[dict], object]:
    writer = TsvWriter(file, csv_safe)

    def write(row: dict) -> None:
        # A cell holds neither tabs nor line ends; one space for each keeps the positions right.
        text = row.get(column)
        flat = re.sub(r"[\t\r\n]", " ", text) if isinstance(text, str) else text
        writer.write(_columns({**row, column: flat} if column in row else row))

    return write


def _columns(row: dict) -> dict:
    """Returns the row without its tokens, which only the format of columns writes."""
    return {name: value for name, value in row.items() if name != "tagged_tokens"}


def _write_page(file: TextIO, column: str, csv_safe: bool) -> Callable[[dict], object]:
    file.write(_PAGE)
    return lambda row: file.write(_paragraph(row, column))


def _paragraph(row: dict, column: str) -> str:
    entities = [
        (each["start"], each["end"], each["type"], f"{100 * each['score']:.1f} %")
        for each in row["entities"] or ()
    ]
    return f"<p>{mark_entities(str(row.get(column) or ''), entities)}</p>\n"


# Functions that begin a file of a format, and return the function that writes a row.
ENTITY_WRITERS = {
    "jsonl": _write_json_lines,
    "conll": _write_columns,
    "csv": _write_csv,
    "tsv": _write_tsv,
    "html": _write_page,
}
