"""Recognises how a file writes its tags, and rewrites them as tags of `data.examples.tags`.

Tags come as `B-PER`, `B_PER`, `PER-B` or `b-per`, in the schemes BIO, BIOES, BILOU, BMES or BMEWO,
as bare types, as B, I and O alone, in the brackets of CoNLL-2012 or as `name=B-PER` among other
features of CoNLL-U. All cells of a column together decide; an ambiguous column is refused.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from data.examples.tags import OUTSIDE

# The letters of BMES and BMEWO for the inside of an entity and an entity of one token.
_ALIASES = {"M": "I", "W": "S"}
_LETTERS = "BIESLUMW"
_TYPE = r"[^\s*()]*\w[^\s*()]*"
# Patterns with a letter and a type, by an example of the form.
_FORMS = {
    "B-PER": rf"(?P<letter>[{_LETTERS}])-(?P<type>{_TYPE})",
    "B_PER": rf"(?P<letter>[{_LETTERS}])[_:./|=](?P<type>{_TYPE})",
    "PER-B": rf"(?P<type>{_TYPE})[-_:./|=](?P<letter>[{_LETTERS}])",
    "B": rf"(?P<letter>[{_LETTERS}])-?(?P<type>)",
}
# The type of tags that name none.
_ONLY_TYPE = "ENTITY"
# A longer cell is a text, on which the patterns would take quadratic time.
_LONGEST_TAG = 256
# Some files write these for O; the words mean O only if other tags have a letter.
_SYMBOLS = {"_", "-", "0", "*"}
_OUTSIDES = {*_SYMBOLS, "o", "OUT", "OTHER", "Other", "other", "NONE", "None", "none"}
_BARE_TYPE = re.compile(r"(?=.*[^\W\d_])[\w.&+:'/-]+")
_BRACKETS = re.compile(rf"\*|\((?P<type>{_TYPE})\*?\)?|\*\)")
_FEATURES = re.compile(r"_|[^=|]+=[^|]*(?:\|[^=|]+=[^|]*)*")
_SEVERAL = re.compile(rf"[|+/,;&#](?:[{_LETTERS}][-_]|{OUTSIDE}$)")
_SCORED = re.compile(r".*[:|/@=(]\d+(?:\.\d+)?\)?")
# A column with more types than this, few of them repeated, is a column of words.
_MANY_TYPES = 20
# Chunks and parts of speech cover this share of the tokens; entities never do.
_NEARLY_EVERY, _FEW_TOKENS = 0.8, 20


class NotTags(ValueError):
    """Raised for cells of a column that are not tags.

    Attributes:
        cells: the cells.
        reason: what is wrong with them.
    """

    def __init__(self, cells: Iterable[str], reason: str = "not tags"):
        super().__init__(reason)
        self.cells, self.reason = sorted(cells), reason


class TagForm(NamedTuple):
    """The form in which the cells of a column write tags.

    Attributes:
        tags: the tag of each cell; None for brackets, whose tags depend on the cells before.
        notes: what was recognised beyond the usual.
        is_sure: whether letters or brackets prove that the column holds tags.
        feature: the name of the feature in each cell that holds the tag; empty for none.
    """

    tags: dict[str, str] | None
    notes: tuple[str, ...] = ()
    is_sure: bool = True
    feature: str = ""


def read_tags(sequences: list[list[str]]) -> tuple[list[list[str]], TagForm]:
    """Rewrites the tags of all sentences of a file.

    Args:
        sequences: the cells of each sentence.

    Returns:
        The tags, each `O` or a prefix of BIO or BIOES and a type; and their form.

    Raises:
        NotTags: cells are not tags, or are ambiguous.
    """
    counts = Counter(cell for cells in sequences for cell in cells)
    form = recognise_form(counts)
    if form.tags is None:
        return [_read_brackets(cells) for cells in sequences], form
    return [[form.tags[cell] for cell in cells] for cells in sequences], form


def recognise_form(counts: Counter) -> TagForm:
    """Recognises the form of a column by its cells.

    Args:
        counts: how often each cell occurs.

    Raises:
        NotTags: cells are not tags.
    """
    cells = set(counts)
    form = _find_letter_form(cells) or _find_bracket_form(cells) or _find_feature_form(cells)
    return form or _find_bare_form(counts)


def describe_entity_share(sequences: list[list[str]]) -> str:
    """Returns a warning if nearly every token is in an entity, otherwise an empty text."""
    counts = Counter(tag == OUTSIDE for tags in sequences for tag in tags)
    if counts[False] and not counts[True]:
        return "no cell is O, so that every token is in an entity. Check --tag-column"
    share = counts[False] / max(counts.total(), 1)
    if share < _NEARLY_EVERY or counts.total() < _FEW_TOKENS:
        return ""
    return f"{share:.0%} of the tokens are in entities. Check --tag-column"


def _find_letter_form(cells: set[str]) -> TagForm | None:
    """Finds the form of cells that all have a letter such as B or I, except those for O."""
    best, rest = "", set()
    for flags in (0, re.IGNORECASE):
        for name, pattern in _FORMS.items():
            matches = {
                cell: re.fullmatch(pattern, cell, flags)
                for cell in cells - {OUTSIDE}
                if len(cell) <= _LONGEST_TAG
            }
            tags = {cell: match for cell, match in matches.items() if match}
            others = cells - tags.keys() - {OUTSIDE}
            letters = {match["letter"].upper() for match in tags.values()}
            usual = name == "B-PER" and not flags
            if not letters & set("BISUW" if usual else "BI"):
                continue
            if others <= _OUTSIDES:
                return _make_letter_form(name, tags, cells - tags.keys(), usual)
            if "B" in letters and (usual or len(tags) >= len(others)) and not best:
                best, rest = name, others - _OUTSIDES
    if best:
        raise NotTags(rest, f"not tags, though others have the form {best}")
    return None


def _make_letter_form(
    name: str, matches: dict[str, re.Match], outside: set[str], usual: bool
) -> TagForm:
    """Makes the form of cells that match a pattern.

    Args:
        name: of the pattern.
        matches: of the cells.
        outside: the cells for O.
        usual: whether the form needs no note.
    """
    multiple = {cell for cell, match in matches.items() if _SEVERAL.search(match["type"])}
    if multiple:
        raise NotTags(multiple, "several tags in one cell")
    scored = {cell for cell, match in matches.items() if _SCORED.fullmatch(match["type"])}
    if len(scored) > len(matches) / 2:
        raise NotTags(scored, "tags with numbers after them")
    tags, notes = dict.fromkeys(outside, OUTSIDE), []
    for cell, match in matches.items():
        letter = match["letter"].upper()
        tags[cell] = f"{_ALIASES.get(letter, letter)}-{match['type'] or _ONLY_TYPE}"
    if name == "B":
        notes.append(f"B, I and O without a type, taken as the type {_ONLY_TYPE}")
    elif not usual:
        cell = min(matches)
        notes.append(f"tags of the form {cell}, taken as {tags[cell]}")
    for letter in sorted({match["letter"].upper() for match in matches.values()} & _ALIASES.keys()):
        notes.append(f"the prefix {letter} taken as {_ALIASES[letter]}")
    notes += [f"{cell!r} taken as O" for cell in sorted(outside - {OUTSIDE})]
    return TagForm(tags, tuple(notes))


def _find_bracket_form(cells: set[str]) -> TagForm | None:
    """Finds the form of brackets as in CoNLL-2012."""
    if "*" not in cells or len(cells) < 2 or max(map(len, cells)) > _LONGEST_TAG:
        return None
    if not all(map(_BRACKETS.fullmatch, cells)):
        return None
    return TagForm(None, ("tags in brackets, as in CoNLL-2012",))


def _read_brackets(cells: list[str]) -> list[str]:
    tags, kind = [], None
    for cell in cells:
        match = _BRACKETS.fullmatch(cell)
        opened = match and match["type"]
        if (opened and kind) or (cell == "*)" and not kind):
            raise NotTags({cell}, "brackets inside of others, or closed before they open")
        tags.append(f"B-{opened}" if opened else f"I-{kind}" if kind else OUTSIDE)
        kind = None if cell.endswith(")") else opened or kind
    if kind:
        raise NotTags({f"({kind}*"}, "a bracket that does not close in its sentence")
    return tags


def _find_feature_form(cells: set[str]) -> TagForm | None:
    """Finds the form of cells with features, one of which is `name=B-PER`."""
    if not all(map(_FEATURES.fullmatch, cells)) or cells <= {"_"}:
        return None
    pairs = {cell: dict(_split_features(cell)) for cell in cells}
    values: dict[str, set[str]] = {}
    for features in pairs.values():
        for name, value in features.items():
            values.setdefault(name, set()).add(value)
    forms = {}
    for name, texts in values.items():
        try:
            form = _find_letter_form(texts)
        except NotTags:
            continue
        if form:
            forms[name] = form
    if len(forms) != 1:
        several = f": {', '.join(forms)} hold tags" if forms else ""
        raise NotTags(cells - {"_"}, f"features, not tags{several}")
    [(name, form)] = forms.items()
    feature_tags = form.tags or {}
    tags = {
        cell: feature_tags[features[name]] if name in features else OUTSIDE
        for cell, features in pairs.items()
    }
    return TagForm(tags, (f"tags read from {name}=", *form.notes), True, name)


def _split_features(cell: str) -> list[tuple[str, str]]:
    parts = (part.partition("=") for part in cell.split("|"))
    return [(name, value) for name, sign, value in parts if sign]


def _find_bare_form(counts: Counter) -> TagForm:
    """Finds the form of cells that are types or symbols for O."""
    cells = set(counts) - {OUTSIDE}
    symbols = cells & _SYMBOLS if OUTSIDE not in counts else set()
    types = cells - symbols
    odd = {cell for cell in types if not _BARE_TYPE.fullmatch(cell)}
    if odd or len(symbols) > 1:
        raise NotTags(odd or symbols)
    if len(types) > _MANY_TYPES and 3 * len(types) > sum(counts[cell] for cell in types):
        raise NotTags(types, f"{len(types)} different words, too many to be types")
    tags = dict.fromkeys((OUTSIDE, *symbols), OUTSIDE) | {cell: f"I-{cell}" for cell in types}
    return TagForm(tags, tuple(f"{cell!r} taken as O" for cell in symbols), not types)
