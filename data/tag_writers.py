"""Texts with entities out to JSON lines, columns of tokens (CoNLL) or a page, streamed."""

import html
import sys
from contextlib import contextmanager
from pathlib import Path

from data.errors import UserError
from data.files import whole_file
from data.lines import replace_surrogates
from data.record_writers import to_json
from data.records import STANDARD_STREAM

_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Entities</title>
<style>
body { font: 16px/1.7 sans-serif; max-width: 50em; margin: 2em auto }
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
def tag_writer(path: str, format: str | None, column: str):
    """Yields a function that takes one row with `entities` and `tagged_tokens`; `-` writes to
    standard output. The file appears when all rows are written, or not at all. It is UTF-8: each
    byte of a text that is not becomes U+FFFD, and places in the text stay right.

    Args:
        path: a file, or `-`.
        format: a name in `TAG_WRITERS`, or None for that of the path.
        column: of the rows' texts.

    Raises:
        UserError: an unknown format, or a place that cannot be written.
    """
    begin, line, end = TAG_WRITERS[format_of(path, format)]
    if path == STANDARD_STREAM:
        sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.write(begin)
        yield lambda row: sys.stdout.write(replace_surrogates(line(row, column)))
        sys.stdout.write(end)
        sys.stdout.flush()
        return
    with (
        whole_file(Path(path)) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(begin)
        yield lambda row: file.write(replace_surrogates(line(row, column)))
        file.write(end)


def _json_line(row: dict, column: str) -> str:
    kept = {name: value for name, value in row.items() if name != "tagged_tokens"}
    return to_json(kept) + "\n"


def _sentence(row: dict, column: str) -> str:
    lines = [f"{each['token']}\t{each['score']}\t{each['tag']}\n" for each in row["tagged_tokens"]]
    return "".join(lines) + "\n"


def _paragraph(row: dict, column: str) -> str:
    text, parts, end = str(row.get(column) or ""), [], 0
    for entity in row["entities"] or ():
        parts.append(html.escape(text[end : entity["start"]]))
        span = html.escape(text[entity["start"] : entity["end"]])
        kind = html.escape(entity["type"])
        # The same type has the same colour on every page.
        hue = sum(ord(letter) * 37 for letter in entity["type"]) % 360
        parts.append(
            f'<mark style="--hue: {hue}" title="{100 * entity["score"]:.1f} %">{span} '
            f"<small>{kind}</small></mark>"
        )
        end = entity["end"]
    return f"<p>{''.join(parts)}{html.escape(text[end:])}</p>\n"


# What begins a file, what makes a row's part of it, and what ends it.
TAG_WRITERS = {
    "jsonl": ("", _json_line, ""),
    "conll": ("", _sentence, ""),
    "html": (_PAGE, _paragraph, ""),
}
