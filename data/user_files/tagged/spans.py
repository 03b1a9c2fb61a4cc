"""Users' own texts with spans, or tokens with tags, read from JSON, Parquet or tables."""

import codecs
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from data.errors import UserError, refuse_rows
from data.examples.splits import SPLIT_NAMES
from data.examples.tagged import TaggedText, TaggedTexts
from data.files.json_files import LONGEST_JSON, cannot_read, parse_json
from data.files.lines import is_utf8, read_lines
from data.formats.readers import read_records
from data.formats.record import Record
from data.user_files.tagged.span_shapes import BadRow, Shape, find_shape, read_row_spans, unwrap
from data.user_files.tagged.tag_forms import NotTags, describe_entity_share, read_tags

TABLES = (".csv", ".tsv")
# Keys of a .json file that is an object under which its list of rows may stand.
_WRAPPERS = ("annotations", "data", "examples", "rows", "tasks")


def read_spans(
    path: str, text_column: str, spans_column: str, split_column: str
) -> tuple[dict[str, TaggedTexts], tuple[str, ...]]:
    """Reads a file whose rows have a text and its spans, or tokens and their tags.

    A span is `{"start": 0, "end": 5, "type": "PER"}` or `[0, 5, "PER"]`, in Unicode code points.
    The exports of annotation tools are read, too (`data.user_files.tagged.span_shapes`). Rows that
    an annotator rejected are left out, and empty texts without spans.

    Args:
        path: a .json, .jsonl, .parquet, .csv or .tsv file.
        text_column, spans_column, split_column: the keys of texts, spans and splits.

    Returns:
        Texts by split, all under `""` if the file has no column of splits; and notes for the user
        of what was recognised or left out.

    Raises:
        UserError: rows cannot be used; the message has their numbers.
    """
    records = _read_rows(path)
    if not records:
        raise UserError(f"{path} has no rows. Expected a text and its spans in each")
    rows, problems, counts = _unwrap_rows(records)
    shape = _choose_shape(path, rows, problems, text_column, spans_column)
    names, texts, tagged = [], [], {}
    for number, values in rows.items():
        try:
            split = _read_split(values, split_column)
            if shape.tokens:
                tagged[number] = _read_tokens(values, shape)
                names.append(split)
            elif (text := _read_text(values, shape, counts)) is not None:
                texts.append(text)
                names.append(split)
        except BadRow as error:
            problems[number] = str(error)
    _refuse_rows(path, problems)
    notes = [shape.note(text_column, spans_column)]
    if shape.tokens:
        texts, more = _make_texts(path, tagged, shape.tags)
        notes += more
    parts: dict[str, list[TaggedText]] = {}
    for name, text in zip(names, texts, strict=True):
        parts.setdefault(name, []).append(text)
    if not parts:
        raise UserError(f"{path} has no row that can be used: {_describe_counts(counts)}")
    if "" in parts and len(parts) > 1:
        raise UserError(f"{path}: some rows have no {split_column!r}. Give it to all or to none")
    notes.append(_describe_counts(counts))
    return {name: TaggedTexts(part) for name, part in parts.items()}, tuple(filter(None, notes))


def _read_rows(path: str) -> list[Record]:
    """Reads the rows of a file; those of JSON may be lists."""
    suffix = Path(path).suffix.lower()
    # A file .jsonl may be a list, and a file .json may be JSON lines.
    if suffix == ".json" or (suffix == ".jsonl" and _read_head(path).startswith(b"[")):
        values = _read_whole(path)
        return [*_read_json_lines(path)] if values is None else _find_rows(values)
    if suffix in TABLES:
        return [
            record._replace(values=_parse_cells(record.values)) for record in read_records(path)
        ]
    return [*read_records(path)]


def _parse_cells(cells: dict) -> dict:
    """Parses the lists in the cells of a table as JSON; an empty cell becomes None."""
    values = {name: cell or None for name, cell in cells.items()}
    for name, cell in cells.items():
        if isinstance(cell, str) and cell.startswith("[") and cell.endswith("]"):
            with suppress(ValueError):
                values[name] = parse_json(cell.encode("utf-8", "surrogateescape"))
    return values


def _read_head(path: str, size: int = 4096) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(size).removeprefix(codecs.BOM_UTF8).lstrip()
    except (OSError, ValueError) as error:
        raise cannot_read(Path(path), error, "Check the path") from None


def _read_whole(path: str) -> object:
    """Returns the value of a file that is JSON as a whole, or None."""
    try:
        return parse_json(_read_head(path, LONGEST_JSON + 1))
    except ValueError:
        return None


def _find_rows(values: object) -> list[Record]:
    if isinstance(values, dict):
        lists = [values[name] for name in _WRAPPERS if isinstance(values.get(name), list)]
        values = lists[0] if len(lists) == 1 and "text" not in values else [values]
    rows = values if isinstance(values, list) else [values]
    return [Record(number, row) for number, row in enumerate(rows, 1)]


def _read_json_lines(path: str) -> Iterator[Record]:
    number = 0
    for line in read_lines(path):
        if not line.strip():
            continue
        number += 1
        try:
            yield Record(number, json.loads(line))
        except (ValueError, RecursionError) as error:
            yield Record(number, {}, f"not JSON: {error}")


def _unwrap_rows(records: list[Record]) -> tuple[dict[int, dict], dict[int, str], Counter]:
    """Returns rows under plain keys and the problems of bad rows, both by number, and how many rows
    were left out, by reason."""
    rows: dict[int, dict] = {}
    problems: dict[int, str] = {}
    counts: Counter[str] = Counter()
    for record in records:
        if record.values is None:
            counts["empty row(s) left out"] += 1
            continue
        try:
            if record.problem:
                raise BadRow(record.problem)
            values, is_rejected = unwrap(record.values)
        except BadRow as error:
            problems[record.number] = str(error)
            continue
        if is_rejected:
            counts["row(s) left out that an annotator rejected, ignored or did not annotate"] += 1
        else:
            rows[record.number] = values
    return rows, problems, counts


def _choose_shape(
    path: str, rows: dict, problems: dict, text_column: str, spans_column: str
) -> Shape:
    """Returns the shape of the first row with spans, or else of the first row that has a shape."""
    first, why = None, ""
    for values in rows.values():
        try:
            shape = find_shape(values, text_column, spans_column)
        except BadRow as error:
            why = why or str(error)
            continue
        if shape.tokens or values[shape.spans]:
            return shape
        first = first or shape
    if first:
        return first
    _refuse_rows(path, problems or dict.fromkeys(rows, why))
    raise UserError(f"{path}: all rows were rejected by their annotator. Pass other rows")


def _refuse_rows(path: str, problems: dict[int, str]) -> None:
    if problems:
        number = min(problems)
        what = f"that cannot be used, first ({number}: {problems[number]})"
        refuse_rows(path, sorted(problems), what)


def _read_split(values: dict, split_column: str) -> str:
    split = str(values.get(split_column) or "").strip().lower()
    if split not in ("", *SPLIT_NAMES):
        raise BadRow(f"an unknown split {split!r}")
    return SPLIT_NAMES.get(split, "")


def _read_text(values: dict, shape: Shape, counts: Counter) -> TaggedText | None:
    """Returns a text and its spans, or None for an empty text without spans."""
    text, cells = values.get(shape.text), values.get(shape.spans)
    if not cells and isinstance(text, str | None) and not (text or "").strip():
        counts["empty text(s) left out"] += 1
        return None
    if not isinstance(text, str):
        raise BadRow(f"{shape.text!r} is not text")
    if not text.strip():
        raise BadRow("an empty text")
    if not is_utf8(text):
        raise BadRow("not UTF-8")
    if cells is None:
        counts[f"row(s) without {shape.spans!r}, taken as texts without an entity"] += 1
        cells = []
    if not isinstance(cells, list):
        raise BadRow(f"{shape.spans!r} is not a list")
    return TaggedText(text, tuple(read_row_spans(text, cells)))


def _read_tokens(values: dict, shape: Shape) -> tuple[list[str], list[str]]:
    tokens, tags = values.get(shape.tokens), values.get(shape.tags)
    if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags):
        raise BadRow(f"{shape.tokens!r} and {shape.tags!r} are not lists of the same length")
    if any(type(tag) is int for tag in tags):
        raise BadRow(
            f"{shape.tags!r} holds numbers. Write their names, such as B-PER (in Hugging Face's "
            f"datasets those of features[{shape.tags!r}].feature.names)"
        )
    cells = [*tokens, *tags]
    if not cells:
        raise BadRow("no token")
    if not all(isinstance(cell, str) and cell.strip() and is_utf8(cell) for cell in cells):
        raise BadRow("an empty token or tag, or one that is not text")
    return tokens, tags


def _make_texts(path: str, tagged: dict, name: str) -> tuple[list[TaggedText], list[str]]:
    try:
        tags, form = read_tags([tags for _, tags in tagged.values()])
    except NotTags as error:
        wrong = set(error.cells)
        row = next((n for n, (_, cells) in tagged.items() if wrong & set(cells)), min(tagged))
        raise UserError(
            f"{path}: {name!r} has {error.cells[0]!r} (row {row}): {error.reason}. Tags are O and "
            "B-PER, I-PER and the like"
        ) from None
    share = describe_entity_share(tags)
    rows = zip(tagged.values(), tags, strict=True)
    texts = [TaggedText.from_tokens(words, row) for (words, _), row in rows]
    return texts, [*form.notes, *([f"warning: {share}"] if share else [])]


def _describe_counts(counts: Counter) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())
