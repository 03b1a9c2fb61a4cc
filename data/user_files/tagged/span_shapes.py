"""Turns rows of annotation tools into one shape: a text and its spans, or tokens and their tags.

It knows the exports of Prodigy, spaCy, doccano, Label Studio, Dataturks, and data sets of Hugging
Face.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

from data.errors import list_values
from data.examples.tags import Span
from data.text.characters import is_invisible

_TEXTS = ("text", "content", "sentence")
_SPANS = ("spans", "entities", "labels", "label", "annotation", "annotations", "ents")
# Those of these names under which tables do not have one label a row or token.
_SPAN_COLUMNS = ("spans", "entities")
_TOKENS = ("tokens", "words")
_TAGS = ("ner_tags", "tags", "labels", "ner", "bio_tags")
_STARTS = ("start", "start_offset", "startOffset", "begin", "start_char")
_ENDS = ("end", "end_offset", "endOffset", "end_char")
_TYPES = ("type", "label", "labels", "entity_group", "entity_type", "entity", "tag")
_KEYS_NEEDED = "start, end and type (or start_offset, end_offset, label)"
# The answers of annotators for rows that are not to be learned.
_REJECTED = ("reject", "ignore")


_Types = type | tuple[type, ...]


class BadRow(ValueError):
    """A row that cannot be used; the message says why."""


class Shape(NamedTuple):
    """The keys of a file's rows under which texts and spans, or tokens and tags, stand.

    Attributes:
        text, spans: the keys of texts with spans.
        tokens, tags: the keys of tokens with tags.
    """

    text: str = ""
    spans: str = ""
    tokens: str = ""
    tags: str = ""

    def note(self, text_column: str, spans_column: str) -> str:
        """Returns a note of keys that differ from those asked for; empty if none differ."""
        if self.tokens:
            return f"tokens are read from {self.tokens!r}, tags from {self.tags!r}"
        read = [
            f"{kind} are read from {name!r}"
            for kind, name, asked in (
                ("texts", self.text, text_column),
                ("spans", self.spans, spans_column),
            )
            if name != asked
        ]
        return ", ".join(read)


def unwrap(values: object) -> tuple[dict, bool]:
    """Puts the text and spans of a row of Label Studio or spaCy 2 under plain keys.

    Args:
        values: a row of any tool.

    Returns:
        The row, and whether an annotator rejected or skipped it.

    Raises:
        BadRow: it is the row of no known tool.
    """
    if isinstance(values, list) and len(values) == 2 and isinstance(values[1], dict):
        return {"text": values[0], "spans": values[1].get("entities")}, False
    if not isinstance(values, dict):
        raise BadRow(f"not an object: {str(values)[:40]!r}")
    annotations = values.get("annotations", values.get("completions"))
    if isinstance(values.get("data"), dict) and isinstance(annotations, list):
        return _unwrap_label_studio(values["data"], annotations)
    answer = values.get("answer")
    return values, isinstance(answer, str) and answer.lower() in _REJECTED


def _unwrap_label_studio(data: dict, annotations: list) -> tuple[dict, bool]:
    done = [
        annotation
        for annotation in annotations
        if isinstance(annotation, dict) and not annotation.get("was_cancelled")
    ]
    values = {name: cell for name, cell in data.items() if isinstance(cell, str)}
    if not done:
        return values, True
    # Relations and choices of whole texts have no labels.
    results = [
        result["value"]
        for result in done[0].get("result") or ()
        if isinstance(result, dict)
        and isinstance(result.get("value"), dict)
        and "labels" in result["value"]
    ]
    return {**values, "spans": results}, False


def has_spans(names: list[str], text_column: str, spans_column: str) -> bool:
    """Returns whether columns of these names may hold texts and their spans."""
    return all(
        any(name in names for name in known)
        for known in ((text_column, *_TEXTS), (spans_column, *_SPAN_COLUMNS))
    )


def find_shape(values: dict, text_column: str, spans_column: str) -> Shape:
    """Finds the keys of a file by one of its rows.

    Args:
        values: the row.
        text_column, spans_column: the keys that the user named; others are tried after them.

    Raises:
        BadRow: the row lacks a text or spans; the message names its keys.
    """

    def key(names: tuple[str, ...], kind: type[list] | type[str], of: _Types = object) -> str:
        cells = ((name, values.get(name)) for name in names)
        good = (n for n, c in cells if isinstance(c, kind) and (kind is str or _are_all(c, of)))
        return next(good, "")

    text = key((text_column, *_TEXTS), str)
    spans = key((spans_column, *_SPANS), list, (dict, list))
    if text and spans:
        return Shape(text=text, spans=spans)
    tokens = key((*_TOKENS, text_column), list, str)
    tags = key((spans_column, *_TAGS), list, (str, int))
    if tokens and tags:
        return Shape(tokens=tokens, tags=tags)
    wanted = "spans" if text else "text"
    name = spans_column if text else text_column
    if name in values and values[name] is not None:
        raise BadRow(f"{name!r} is not {'a list of spans' if text else 'text'}")
    raise BadRow(f"no {wanted} under {name!r}; it has {list_values(values, 12)}")


def _are_all(cells: Iterable, kinds: _Types) -> bool:
    return all(isinstance(cell, kinds) for cell in cells)


def read_row_spans(text: str, cells: list) -> list[Span]:
    """Reads the spans of a row.

    Args:
        text: the text of the row.
        cells: the spans in the form of any known tool.

    Returns:
        Spans in ascending order.

    Raises:
        BadRow: a span is malformed, lies outside of the text or overlaps another one.
    """
    spans, end = {_read_span(text, part) for cell in cells for part in _split_points(cell)}, 0
    for span in sorted(spans):
        if span.start < end:
            raise BadRow(f"the span {span.start}-{span.end} overlaps another one")
        end = span.end
    return sorted(spans)


def _split_points(cell: object) -> list:
    """Splits the points of Dataturks, whose ends are last letters; any other cell is one span."""
    if not (isinstance(cell, dict) and isinstance(cell.get("points"), list)):
        return [cell]
    return [
        {**point, "end": point["end"] + 1, "label": cell.get("label")}
        for point in cell["points"]
        if isinstance(point, dict) and type(point.get("end")) is int
    ]


def _read_span(text: str, cell: object) -> Span:
    said = None
    if isinstance(cell, dict):
        start, end, kind = (_find_first(cell, names) for names in (_STARTS, _ENDS, _TYPES))
        said, keys = cell.get("text"), f"; it has {list_values(cell, 8)}"
    elif isinstance(cell, list | tuple) and len(cell) == 3:
        (start, end, kind), keys = cell, ""
    else:
        raise BadRow(f"a span without {_KEYS_NEEDED}: {str(cell)[:60]}")
    if isinstance(kind, list) and len(kind) == 1:
        kind = kind[0]
    is_type = isinstance(kind, str) and kind.strip() and kind.isprintable()
    if type(start) is not int or type(end) is not int or not is_type:
        raise BadRow(f"a span without {_KEYS_NEEDED}{keys or f': {str(cell)[:60]}'}")
    if not 0 <= start < end <= len(text):
        raise BadRow(f"the span {start}-{end} in a text of {len(text)} characters")
    if not any(map(_is_seen, text[start:end])):
        raise BadRow(f"the span {start}-{end} holds no letter")
    if isinstance(said, str) and _keep_letters(said) != _keep_letters(text[start:end]):
        raise BadRow(
            f"the span {start}-{end} is {text[start:end][:40]!r}, though it says {said[:40]!r} "
            "(positions count Unicode code points from 0, the end is after the last)"
        )
    # White space in a type would break a line of CoNLL.
    return Span(start, end, "_".join(kind.split()))


def _find_first(cell: dict, names: tuple[str, ...]) -> Any:
    return next((cell[name] for name in names if name in cell), None)


def _is_seen(letter: str) -> bool:
    """Returns whether a character belongs to a token; others are white space to
    `data.text.word_tokenizer`."""
    category = unicodedata.category(letter)
    return category[0] != "Z" and category != "Cc" and not is_invisible(letter)


def _keep_letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
