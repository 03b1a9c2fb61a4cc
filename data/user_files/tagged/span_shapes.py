"""Rows of annotation tools in one shape: a text and its spans, or tokens and their tags.

Known are the exports of Prodigy, spaCy, doccano, Label Studio, Dataturks and data sets of Hugging
Face.
"""

import unicodedata
from typing import NamedTuple

from data.errors import list_values
from data.examples.tags import Span
from data.text.invisible import is_invisible

_TEXTS = ("text", "content", "sentence")
_SPANS = ("spans", "entities", "labels", "label", "annotation", "annotations", "ents")
# Of these, a column of a table does not hold one label a row or token.
_SPAN_COLUMNS = ("spans", "entities")
_TOKENS = ("tokens", "words")
_TAGS = ("ner_tags", "tags", "labels", "ner", "bio_tags")
_STARTS = ("start", "start_offset", "startOffset", "begin", "start_char")
_ENDS = ("end", "end_offset", "endOffset", "end_char")
_TYPES = ("type", "label", "labels", "entity_group", "entity_type", "entity", "tag")
_KEYS_NEEDED = "start, end and type (or start_offset, end_offset, label)"
# What annotators say of a row that is not to be learned.
_REJECTED = ("reject", "ignore")


class BadRow(ValueError):
    """A row that cannot be used; the message says why."""


class Shape(NamedTuple):
    """Which keys of a file's rows hold what.

    Attributes:
        text, spans: of texts with spans.
        tokens, tags: of tokens with tags.
    """

    text: str = ""
    spans: str = ""
    tokens: str = ""
    tags: str = ""

    def note(self, text_column: str, spans_column: str) -> str:
        """What is read from other keys than those that were asked for; empty if nothing is."""
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


def unwrap(values) -> tuple[dict, bool]:
    """The text and spans of a row of Label Studio or spaCy 2 under plain keys, other rows as they
    are; and whether an annotator rejected it or did not come to it.

    Raises:
        BadRow: it is no row of any tool.
    """
    if isinstance(values, list) and len(values) == 2 and isinstance(values[1], dict):
        return {"text": values[0], "spans": values[1].get("entities")}, False
    if not isinstance(values, dict):
        raise BadRow(f"no object but {str(values)[:40]!r}")
    annotations = values.get("annotations", values.get("completions"))
    if isinstance(values.get("data"), dict) and isinstance(annotations, list):
        return _of_label_studio(values["data"], annotations)
    answer = values.get("answer")
    return values, isinstance(answer, str) and answer.lower() in _REJECTED


def _of_label_studio(data: dict, annotations: list) -> tuple[dict, bool]:
    done = [each for each in annotations if isinstance(each, dict)]
    done = [annotation for annotation in done if not annotation.get("was_cancelled")]
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
    """Whether columns of these names may hold texts and their spans."""
    return all(
        any(name in names for name in known)
        for known in ((text_column, *_TEXTS), (spans_column, *_SPAN_COLUMNS))
    )


def find_shape(values: dict, text_column: str, spans_column: str) -> Shape:
    """Finds the keys of a file by one of its rows.

    Raises:
        BadRow: it lacks a text or spans; the message names its keys.
    """

    def key(names, kind, of=object) -> str:
        cells = ((name, values.get(name)) for name in names)
        good = (n for n, c in cells if isinstance(c, kind) and (kind is str or _all(c, of)))
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
        raise BadRow(f"{name!r} is no {'list of spans' if text else 'text'}")
    raise BadRow(f"no {wanted} under {name!r}; it has {list_values(values, 12)}")


def _all(cells: list, kinds) -> bool:
    return all(isinstance(cell, kinds) for cell in cells)


def spans_in(text: str, cells: list) -> list[Span]:
    """The spans of a row.

    Raises:
        BadRow: one of them is none, lies outside of the text or overlaps another.
    """
    spans, end = {_span(text, part) for cell in cells for part in _parts(cell)}, 0
    for span in sorted(spans):
        if span.start < end:
            raise BadRow(f"the span {span.start}-{span.end} overlaps another")
        end = span.end
    return sorted(spans)


def _parts(cell) -> list:
    """A span; Dataturks has several places of a type, whose ends are their last letters."""
    if not (isinstance(cell, dict) and isinstance(cell.get("points"), list)):
        return [cell]
    return [
        {**point, "end": point["end"] + 1, "label": cell.get("label")}
        for point in cell["points"]
        if isinstance(point, dict) and type(point.get("end")) is int
    ]


def _span(text: str, cell) -> Span:
    said = None
    if isinstance(cell, dict):
        start, end, kind = (_first(cell, names) for names in (_STARTS, _ENDS, _TYPES))
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
    if isinstance(said, str) and _letters(said) != _letters(text[start:end]):
        raise BadRow(
            f"the span {start}-{end} is {text[start:end][:40]!r}, though it says {said[:40]!r} "
            "(places count Unicode code points from 0, the end is behind the last)"
        )
    # White space in a type would break a line of CoNLL.
    return Span(start, end, "_".join(kind.split()))


def _first(cell: dict, names: tuple[str, ...]):
    return next((cell[name] for name in names if name in cell), None)


def _is_seen(letter: str) -> bool:
    """Whether a letter belongs to a token: `data.text.word_tokenizer` takes all others for white
    space."""
    category = unicodedata.category(letter)
    return category[0] != "Z" and category != "Cc" and not is_invisible(letter)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
