"""Reads files of identity terms, checked row by row."""

import re
from collections import defaultdict
from pathlib import Path

from data.errors import UserError, list_values, refuse_rows
from data.files.writing import sha256
from data.formats.readers import read_records
from data.identity_terms.terms import IdentityTerms, Term

COLUMNS = ("kind", "group", "form", "term")
# Words between single spaces or hyphens, nothing else.
_TERM = re.compile(r"\w+(?:[ -]\w+)*")
# What may be wrong with a row, and the check that every good row passes.
_CHECKS = {
    "without a kind, group, form or term": all,
    "that are not UTF-8, or hold control characters": lambda row: "".join(row).isprintable(),
    "whose term is not words between single spaces or hyphens": lambda row: _TERM.fullmatch(row[3]),
}


def read_identity_terms(path: str | Path) -> IdentityTerms:
    """Reads a file with the columns `kind`, `group`, `form` and `term`.

    A term with several forms has a row for each.

    Raises:
        UserError: one line with the numbers of the rows that cannot be used, counted from 1 after
            the header.
    """
    rows = _read_rows(str(path))
    _refuse_repeated(path, rows)
    forms: defaultdict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    first: dict[tuple[str, tuple[str, ...]], tuple[str, str]] = {}
    for kind, group, form, term in rows.values():
        key = kind, _split_words(term)
        forms[key].add(form)
        first.setdefault(key, (group, term))
    terms = [
        Term(kind, group, term, words, frozenset(forms[kind, words]))
        for (kind, words), (group, term) in first.items()
    ]
    return IdentityTerms(terms, Path(path).name, sha256(path))


def _split_words(term: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in re.findall(r"\w+", term))


def _read_rows(path: str) -> dict[int, tuple[str, ...]]:
    """Returns kind, group, form and term by row number."""
    records = list(read_records(path))
    if not records:
        raise UserError(f"{path} has no rows. Expected the columns {', '.join(COLUMNS)}")
    bad = [f"row {record.number}: {record.problem}" for record in records if record.problem]
    if bad:
        raise UserError(
            f"{path}: {len(bad)} unreadable row(s): {list_values(bad, 3)}. Fix or drop them"
        )
    missing = [name for name in COLUMNS if name not in records[0].values]
    if missing:
        raise UserError(
            f"no column {list_values(map(repr, missing))} in {path}. It has: "
            f"{list_values(records[0].values, 12)}. Expected: {', '.join(COLUMNS)}"
        )
    rows = {
        record.number: tuple(_cell(record.values.get(name)) for name in COLUMNS)
        for record in records
    }
    for what, is_right in _CHECKS.items():
        refuse_rows(path, [number for number, row in rows.items() if not is_right(row)], what)
    return rows


def _cell(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _refuse_repeated(path: str | Path, rows: dict[int, tuple[str, ...]]) -> None:
    """Refuses a term listed twice, one of two groups of a kind, and a group of two kinds."""
    seen: dict[tuple[str, str, tuple[str, ...]], int] = {}
    group_of: dict[tuple[str, tuple[str, ...]], tuple[str, int]] = {}
    kind_of: dict[str, tuple[str, int]] = {}
    for number, (kind, group, form, term) in rows.items():
        same = seen.setdefault((kind, form, _split_words(term)), number)
        if same != number and group_of[kind, _split_words(term)][0] == group:
            raise UserError(f"{path}: {term!r} is listed twice: row {same}, {number}. Drop one")
        other, row = group_of.setdefault((kind, _split_words(term)), (group, number))
        if other != group:
            raise UserError(
                f"{path}: {term!r} stands for {other!r} in row {row} and for {group!r} in row "
                f"{number}. A term of one kind stands for one group: drop one"
            )
        other, row = kind_of.setdefault(group, (kind, number))
        if other != kind:
            raise UserError(
                f"{path}: the group {group!r} is of the kind {other!r} in row {row} and of "
                f"{kind!r} in row {number}. Rename one"
            )
