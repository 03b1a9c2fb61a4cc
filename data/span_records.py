"""Users' texts with spans by character: JSON lines (or Parquet) to tagged texts."""

from data.errors import UserError, listed, refuse_rows
from data.records import Record, read_records
from data.tabular import SPLIT_NAMES
from data.tagged import TaggedText, TaggedTexts
from data.tags import Span

# What the type of a span is called.
_TYPE_KEYS = ("type", "label")


def read_spans(
    path: str, text_column: str, spans_column: str, split_column: str
) -> dict[str, TaggedTexts]:
    """Reads a file whose rows have a text and a list of spans: `{"start": 0, "end": 5, "type":
    "PER"}` (or `"label"`) or `[0, 5, "PER"]`, places in Unicode code points.

    Returns:
        Texts by split; all under `""` where the file has no column of splits.

    Raises:
        UserError: rows that cannot be used, by number.
    """
    parts, problems = {}, {}
    for record in read_records(path):
        problem = record.problem or _missing(record, text_column, spans_column)
        spans = [] if problem else [_span(span) for span in record.values[spans_column]]
        text = record.values.get(text_column)
        problem = problem or _problem(text, spans)
        split = str(record.values.get(split_column, "")).strip().lower()
        if split not in ("", *SPLIT_NAMES):
            problem = problem or f"an unknown split {split!r}"
        if problem:
            problems[record.number] = problem
        else:
            rows = parts.setdefault(SPLIT_NAMES.get(split, ""), [])
            rows.append(TaggedText(text, tuple(sorted(spans))))
    if problems:
        number, problem = next(iter(problems.items()))
        refuse_rows(path, list(problems), f"that cannot be used, first ({number}: {problem})")
    if not parts:
        raise UserError(f"{path} has no rows. Expected a text and its spans in each")
    if "" in parts and len(parts) > 1:
        raise UserError(f"{path}: some rows have no {split_column!r}. Give it to all or to none")
    return {split: TaggedTexts(rows) for split, rows in parts.items()}


def _missing(record: Record, text_column: str, spans_column: str) -> str:
    for name, kind in ((text_column, str), (spans_column, list)):
        if name not in record.values:
            return f"no {name!r}; it has {listed(record.values, 12)}"
        if not isinstance(record.values[name], kind):
            return f"{name!r} is no {'text' if kind is str else 'list'}"
    return ""


def _span(value) -> Span | None:
    """A span, or None if it is none."""
    if isinstance(value, dict):
        kind = next((value[key] for key in _TYPE_KEYS if key in value), None)
        value = (value.get("start"), value.get("end"), kind)
    if not isinstance(value, list | tuple) or len(value) != 3:
        return None
    start, end, kind = value
    if type(start) is not int or type(end) is not int or not isinstance(kind, str):
        return None
    # White space in a type would break a line of CoNLL.
    return Span(start, end, "_".join(kind.split())) if kind.strip() else None


def _problem(text: str, spans: list[Span | None]) -> str:
    if not text.strip():
        return "an empty text"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "not UTF-8"
    end = 0
    if None in spans:
        return "a span without start, end and type"
    for span in sorted(spans):
        if not 0 <= span.start < span.end <= len(text):
            return f"the span {span.start}-{span.end} in a text of {len(text)} characters"
        if not text[span.start : span.end].strip():
            return f"the span {span.start}-{span.end} holds no letter"
        if span.start < end:
            return f"the span {span.start}-{span.end} overlaps another"
        end = span.end
    return ""
