"""Writes texts with entities to JSON lines, columns of tokens (CoNLL), tables or a page, streamed.

Each file is valid UTF-8: U+FFFD stands for each byte that was not, so that places stay right.
"""

import html
import re
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from data.errors import UserError
from data.files.lines import replace_surrogates
from data.files.writing import whole_file
from data.formats.readers import STANDARD_STREAM
from data.formats.writers import WRITERS, to_json

_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Entities</title>
<style>
body { font: 16px/1.7 sans-serif; max-width: 50em; margin: 2em auto }
p { white-space: pre-wrap }
mark { padding: .15em .3em; border-radius: .3em; background: hsl(var(--hue) 80% 85%) }
small { color: #555 }
</style>
"""


def format_of(path: str, format: str | None) -> str:
    """The format: that which is given, or that of the path's suffix; JSON lines for a stream.

    Raises:
        UserError: the suffix is of none.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if format is None and path != STANDARD_STREAM and suffix not in TAG_WRITERS:
        raise UserError(
            f"{path}: unknown file format {suffix!r}. Choose one of {', '.join(TAG_WRITERS)} with "
            "--format"
        )
    return format or (suffix if suffix in TAG_WRITERS else "jsonl")


@contextmanager
def tag_writer(path: str, format: str | None, column: str, csv_safe: bool = False):
    """Yields a function that takes one row with `entities` and `tagged_tokens`; `-` writes to
    standard output. The file appears when all rows are written, or not at all.

    Args:
        path: a file, or `-`.
        format: a name in `TAG_WRITERS`, or None for that of the path.
        column: of the rows' texts.
        csv_safe: as `data.formats.writers.record_writer`; places then count from behind the
            apostrophe.

    Raises:
        UserError: an unknown format, or a place that cannot be written.
    """
    open_writer = TAG_WRITERS[format_of(path, format)]
    if path == STANDARD_STREAM:
        sys.stdout.reconfigure(encoding="utf-8")
        write = open_writer(sys.stdout, column, csv_safe)
        yield lambda row: write(_readable(row, column))
        sys.stdout.flush()
        return
    with (
        whole_file(Path(path)) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        write = open_writer(file, column, csv_safe)
        yield lambda row: write(_readable(row, column))


def _readable(row: dict, column: str) -> dict:
    """A row whose texts can be written as UTF-8, and whose entities say what stands in its text."""
    row = {_valid(name): _valid(value) for name, value in row.items()}
    text = row.get(_valid(column))
    if row["entities"] and isinstance(text, str):
        row["entities"] = [
            {**entity, "text": text[entity["start"] : entity["end"]]} for entity in row["entities"]
        ]
    return row


def _valid(value):
    return replace_surrogates(value) if isinstance(value, str) else value


def _write_json_lines(file, column: str, csv_safe: bool) -> Callable[[dict], object]:
    def write(row: dict) -> None:
        file.write(to_json(_columns(row)) + "\n")

    return write


def _write_columns(file, column: str, csv_safe: bool) -> Callable[[dict], object]:
    def write(row: dict) -> None:
        for token in row["tagged_tokens"]:
            file.write(f"{token['token']}\t{token['score']}\t{token['tag']}\n")
        file.write("\n")

    return write


def _write_csv(file, column: str, csv_safe: bool) -> Callable[[dict], object]:
    writer = WRITERS[".csv"](file, csv_safe)
    return lambda row: writer.write(_columns(row))


def _write_tsv(file, column: str, csv_safe: bool) -> Callable[[dict], object]:
    writer = WRITERS[".tsv"](file, csv_safe)

    def write(row: dict) -> None:
        # A cell holds neither tabs nor line ends; one space for each keeps the places right.
        text = row.get(column)
        flat = re.sub(r"[\t\r\n]", " ", text) if isinstance(text, str) else text
        writer.write(_columns({**row, column: flat} if column in row else row))

    return write


def _columns(row: dict) -> dict:
    """The input's columns and the entities, which tables have as JSON."""
    return {name: value for name, value in row.items() if name != "tagged_tokens"}


def _write_page(file, column: str, csv_safe: bool) -> Callable[[dict], object]:
    file.write(_PAGE)
    return lambda row: file.write(_paragraph(row, column))


def _paragraph(row: dict, column: str) -> str:
    text, parts, end = str(row.get(column) or ""), [], 0
    for entity in row["entities"] or ():
        parts.append(html.escape(text[end : entity["start"]]))
        span = html.escape(text[entity["start"] : entity["end"]])
        kind = html.escape(entity["type"])
        # The same type has the same colour on every page.
        hue = sum(ord(letter) * 37 for letter in entity["type"]) % 360
        parts.append(
            f'<mark style="--hue: {hue}" title="{100 * entity["score"]:.1f} %">{span}'
            f"<small> {kind}</small></mark>"
        )
        end = entity["end"]
    return f"<p>{''.join(parts)}{html.escape(text[end:])}</p>\n"


# What begins a file of each format, and returns what writes a row.
TAG_WRITERS = {
    "jsonl": _write_json_lines,
    "conll": _write_columns,
    "csv": _write_csv,
    "tsv": _write_tsv,
    "html": _write_page,
}
