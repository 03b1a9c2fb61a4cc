"""Chooses the two columns of a table that hold parallel texts, by its header."""

import re
from typing import NamedTuple

from data.errors import UserError, list_values
from data.formats.delimited import MOST_COLUMNS
from data.formats.languages import find_languages, fold, is_language, language_code
from data.messages import warn


class ColumnChoice(NamedTuple):
    """The columns of a table that hold the two texts.

    Attributes:
        source, target: their numbers, from 0.
        has_header: whether the first line is a header, not a pair.
    """

    source: int
    target: int
    has_header: bool


# Words that stand next to the name of a language in the name of a column.
_HEADER_WORDS = frozenset(
    """
    cible col column frase hyp hypothesis id idx index input key lang language languages line
    machine mt nr number original origine output phrase phrases quelle question ref reference
    satz score segment segments sent sentence sentences side source split src string strings
    target testo text texte texto texts tgt traduccion traduction traduzione translated
    translation translations trg ubersetzung utterance word words ziel
    """.split()  # noqa: SIM905
)


def choose_columns(
    cells: list[str],
    source: str,
    target: str,
    path: str,
    given: tuple[int | None, int | None] = (None, None),
) -> ColumnChoice:
    """Chooses the columns of the texts by the first line of a table, and reports the choice.

    Args:
        cells: the cells of the first line.
        source, target: the languages. A header may name them by code or name, with a region
            (`en-GB`) or among other words (`text_en`, `English sentences`).
        path: the table, for messages.
        given: the columns that the user asked for, or None.

    Raises:
        UserError: neither the header nor the user says which columns these are; or the line has
            too many cells.
    """
    if len(cells) > MOST_COLUMNS:
        raise UserError(f"{path} has {len(cells):,} columns, {MOST_COLUMNS:,} are read at most")
    languages = ((n, _read_language(cell, (source, target))) for n, cell in enumerate(cells))
    names = {number: name for number, name in languages if name}
    named = (
        _find_place(source, names, path, "--source"),
        _find_place(target, names, path, "--target"),
    )
    columns = (0 if given[0] is None else given[0], 1 if given[1] is None else given[1])
    if named[0] is not None and named[1] is not None:
        if named[0] == named[1]:
            raise UserError(
                f"{path}: {source!r} and {target!r} are the same column, {cells[named[0]]!r}. "
                "Check --source and --target"
            )
        spelled = (cells[named[0]].strip(), cells[named[1]].strip())
        if spelled != (source, target) or (given != (None, None) and columns != named):
            choice = f"{source} is the column {spelled[0]!r}, {target} the column {spelled[1]!r}"
            warn(f"{path}: {choice}")
        return ColumnChoice(named[0], named[1], has_header=True)
    is_header = named != (None, None) or _is_header(cells)
    if is_header and given == (None, None):
        raise UserError(_explain_header(cells, source, target, named, path))
    beginning = "the first line is a header" if is_header else "no header"
    choice = f"{beginning}: column {columns[0]} is {source}, column {columns[1]} {target}"
    warn(f"{path}: {choice}")
    return ColumnChoice(columns[0], columns[1], has_header=is_header)


def _find_place(language: str, names: dict[int, str], path: str, option: str) -> int | None:
    """Returns the number of the column that is named after a language, or None."""
    for code in find_languages(language, names.values(), path, option)[:1]:
        places = [number for number, name in names.items() if language_code(name) == code]
        if len(places) > 1:
            raise UserError(
                f"{path}: the columns {list_values(places)} are all {language!r}. Rename all but "
                "one"
            )
        return places[0]
    return None


def _read_language(cell: str, wanted: tuple[str, str]) -> str | None:
    """Returns the language in the name of a column as the file writes it, or None."""
    name = cell.strip()
    code = language_code(name)
    codes = [language_code(language) for language in wanted]
    if any(code == known or code.startswith(f"{known}-") for known in codes):
        return name
    if is_language(name):
        return name
    words = _words(name)
    languages = [word for word in words if is_language(word)]
    others = set(words).difference(languages)
    return languages[0] if len(languages) == 1 and others <= _HEADER_WORDS else None


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(name)) if len(name) < 100 else []


def _is_header(cells: list[str]) -> bool:
    """Returns whether a line that names neither language is a header nevertheless."""
    names = [cell.strip() for cell in cells if cell.strip()]
    # pandas writes numbers where columns have no names.
    if names == [str(number) for number in range(len(names))] and len(names) > 1:
        return True
    known = all(
        (
            (words := _words(name))
            and all(word in _HEADER_WORDS or is_language(word) for word in words)
        )
        or is_language(name)
        for name in names
    )
    return known and len(set(map(fold, names))) > 1


def _explain_header(
    cells: list[str], source: str, target: str, named: tuple[int | None, int | None], path: str
) -> str:
    """Returns the message for a header that does not name both languages."""
    remedy = (
        f"Check --source and --target, or call the columns {source!r} and {target!r}, or pass "
        "--source-column and --target-column"
    )
    if named == (None, None):
        names = list_values([repr(cell.strip()) for cell in cells])
        return f"{path} has a header without {source!r} and {target!r}: {names}. {remedy}"
    name = cells[next(place for place in named if place is not None)].strip()
    return f"{path} has a header with {name!r}, but not both of {source!r} and {target!r}. {remedy}"
