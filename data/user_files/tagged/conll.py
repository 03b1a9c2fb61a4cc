"""Tagged tokens in columns, one token a line and an empty line after each sentence (CoNLL)."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from data.errors import UserError, list_values, refuse_rows
from data.examples.tagged import TaggedText, TaggedTexts
from data.examples.tags import OUTSIDE, find_scheme, is_tag
from data.files.lines import is_utf8, read_lines
from data.user_files.tagged.tag_forms import (
    NotTags,
    TagForm,
    entity_share_note,
    read_tags,
    recognise,
)

_DOCUMENT = "-DOCSTART-"
_DOCUMENT_COMMENTS = ("#begin document", "#end document")
# Of a word; with a group those of multi-word tokens and empty nodes of CoNLL-U, whose words have
# lines of their own.
_NUMBER = re.compile(r"\d+([-.]\d+)?")
TOKEN_HEADERS = {"token", "tokens", "word", "words", "form", "text"}
TAG_HEADERS = {"tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "iob", "bio", "ne"}
_FULL_STOPS = set(".!?…。！？।؟۔")
# A file without an empty line is one sentence, if it has no more tokens than this.
_LONGEST_SENTENCE = 50


class TokenRow(NamedTuple):
    """A token, its tag and what else a file says of it.

    Attributes:
        number: of the line.
        line: as it stands in the file.
        columns: its cells.
    """

    number: int
    line: str
    columns: list[str]


def read_conll(
    path: str | Path, token_column: int = 0, tag_column: int = -1
) -> tuple[TaggedTexts, tuple[str, ...]]:
    """Reads a file.

    Columns stand between tabs where a line has one, else between spaces; other white space belongs
    to a token. Lines of white space end a sentence, however many they are. Document markers,
    comments, a header and CoNLL-U's multi-word tokens are passed over.

    Args:
        path: a UTF-8 file.
        token_column, tag_column: numbers from 0; negative ones count from the right.

    Returns:
        The sentences, and what was recognised, a line each, for the user.

    Raises:
        UserError: the file cannot be read, lines lack a column, or a column holds no tags.
    """
    path = str(path)
    if token_column == tag_column:
        raise UserError(
            f"tokens and tags are both read from column {tag_column}. Choose another "
            "--token-column or --tag-column"
        )
    sentences, has_breaks = _read_sentences(path, token_column, tag_column)
    if not sentences:
        raise UserError(f"{path} has no sentence. Expected a token and its tag a line")
    _check_token_column(path, sentences, token_column)
    return texts_of_rows(path, sentences, has_breaks, token_column, tag_column)


def texts_of_rows(
    path: str,
    sentences: list[list[TokenRow]],
    has_breaks: bool,
    token_column: int,
    tag_column: int,
) -> tuple[TaggedTexts, tuple[str, ...]]:
    """Makes texts of the rows of each sentence; the rest is that of `read_conll`.

    Args:
        path: what error messages call the file.
        sentences: rows with a token and a tag each.
        has_breaks: whether the file says where sentences end.
        token_column, tag_column: of the rows.
    """
    cells = [[row.columns[tag_column] for row in rows] for rows in sentences]
    rows = [row for rows in sentences for row in rows]
    others = _other_tag_columns(rows, tag_column)
    try:
        tags, form = read_tags(cells)
    except NotTags as error:
        raise _not_tags(path, rows, tag_column, error, others) from None
    has_outside = any(OUTSIDE in each for each in tags)
    if others and not form.is_sure and not has_outside:
        found = NotTags({cell for each in cells for cell in each}, "no tags: none of them is O")
        raise _not_tags(path, rows, tag_column, found, others)
    tokens = [[row.columns[token_column] for row in rows] for rows in sentences]
    notes = [*form.notes, *_notes(tags, others, tag_column), *_ragged(sentences)]
    if not has_breaks and max(map(len, tokens)) > _LONGEST_SENTENCE:
        before, (tokens, tags) = len(tokens), _cut(tokens, tags)
        cut = f"cut into {len(tokens)} at full stops" if len(tokens) > before else "it stays whole"
        notes.append(f"warning: no empty lines between sentences: {cut}")
    texts = [TaggedText.from_tokens(*pair) for pair in zip(tokens, tags, strict=True)]
    return TaggedTexts(texts), tuple(notes)


def _notes(tags: list[list[str]], others: dict[int, str], tag_column: int) -> list[str]:
    notes = []
    scheme = find_scheme(tags)
    if scheme != "BIO":
        notes.append(f"tags of the scheme {scheme}, taken as BIO")
    if share := entity_share_note(tags):
        notes.append(f"warning: {share}")
    if others:
        found = list_values(f"{column} ({cells})" for column, cells in others.items())
        notes.append(
            f"column {found} holds tags, too; column {tag_column} is read. Choose with --tag-column"
        )
    return notes


def _read_sentences(
    path: str, token_column: int, tag_column: int
) -> tuple[list[list[TokenRow]], bool]:
    """The rows of each sentence, and whether empty lines stand between some of them."""
    groups, has_breaks = _groups(path)
    rows = [row for group in groups for row in group]
    # A line that begins with # is a token only if it looks like the others.
    plain = [row for row in rows if not row.line.startswith("#")] or rows
    widths = {len(row.columns) for row in plain}
    seen = {_cell(row.columns, tag_column) for row in plain}
    is_numbered = token_column != 0 and all(_NUMBER.fullmatch(row.columns[0]) for row in plain)

    def is_token(row: TokenRow) -> bool:
        if row is rows[0] and _is_header(row, token_column, tag_column):
            return False
        if row.line.startswith("#"):
            cell = _cell(row.columns, tag_column)
            return len(row.columns) in widths and (cell in seen or is_tag(cell))
        return not (is_numbered and _NUMBER.fullmatch(row.columns[0])[1])

    groups = [[row for row in group if is_token(row)] for group in groups]
    _check_columns(path, groups, token_column, tag_column)
    groups = [[row for row in group if row.columns[token_column].strip()] for group in groups]
    return [group for group in groups if group], has_breaks


def _groups(path: str) -> tuple[list[list[TokenRow]], bool]:
    """The rows between empty lines and markers of documents, comments among them."""
    groups, has_breaks, last_is_empty = [[]], False, False
    for number, line in enumerate(read_lines(path), 1):
        if not is_utf8(line):
            raise UserError(f"{path} is not UTF-8 (line {number}). Convert it")
        cells = line.split("\t") if "\t" in line else line.split(" ")
        columns = [cell.strip(" \r") for cell in cells if "\t" in line or cell]
        is_empty = not line.strip()
        if is_empty or line.startswith((_DOCUMENT, *_DOCUMENT_COMMENTS)):
            if groups[-1]:
                groups.append([])
                last_is_empty = is_empty
            # An empty line beside a marker ends the document, not a sentence of it.
            last_is_empty &= is_empty
            continue
        if len(groups) > 1 and not groups[-1]:
            has_breaks |= last_is_empty
        groups[-1].append(TokenRow(number, line, columns))
    return groups, has_breaks


def _cell(columns: list[str], column: int) -> str:
    return columns[column] if -len(columns) <= column < len(columns) else ""


def _is_header(row: TokenRow, token_column: int, tag_column: int) -> bool:
    token, tag = (_cell(row.columns, at).lower() for at in (token_column, tag_column))
    return token in TOKEN_HEADERS and tag in TAG_HEADERS


def _check_columns(path: str, groups, token_column: int, tag_column: int) -> None:
    """Refuses rows that lack a column, a token or a tag."""
    # Counting from the left or the right, a column needs so many of them.
    needed = max(2, *(at + 1 if at >= 0 else -at for at in (token_column, tag_column)))
    rows = [row for group in groups for row in group]
    short = [row.number for row in rows if len(row.columns) < needed]
    if short and len(short) == len(rows):
        raise UserError(
            f"{path}: no line has the {needed} columns that --token-column and --tag-column need; "
            f"line {rows[0].number} is {rows[0].line[:40]!r}. Expected a token and its tag a line, "
            "between tabs or spaces, or a .jsonl file of texts with spans"
        )
    refuse_rows(path, short, "(lines) with too few columns for --token-column and --tag-column")
    odd = [row.number for row in rows if not _is_usable(row.columns, token_column, tag_column)]
    if odd:
        raise UserError(
            f"{path}: line {list_values(odd)}: no token or no tag. Check --token-column and "
            "--tag-column"
        )


def _is_usable(columns: list[str], token_column: int, tag_column: int) -> bool:
    token, tag = columns[token_column], columns[tag_column]
    if not tag or not tag.isprintable() or " " in tag:
        return False
    # Twitter corpora have white space that was taken for a token; such rows are passed over.
    return bool(token.strip()) or tag == OUTSIDE


def _check_token_column(path: str, sentences: list[list[TokenRow]], token_column: int) -> None:
    """Refuses a column that numbers the tokens of each sentence, where words stand next to it."""
    rows = [row for sentence in sentences for row in sentence]
    next_column = token_column + 1
    words = [_cell(row.columns, next_column) for row in rows if len(row.columns) > 2]
    are_words = 2 * sum(any(map(str.isalpha, word)) for word in words) > len(rows)
    if (
        are_words
        and len(rows) > len(sentences)
        and all(
            _is_numbered([row.columns[token_column] for row in sentence]) for sentence in sentences
        )
    ):
        raise UserError(
            f"{path}: column {token_column} numbers the tokens, column {next_column} has words "
            f"such as {list_values(dict.fromkeys(words), 3)}. Pass --token-column {next_column}"
        )


def _is_numbered(cells: list[str]) -> bool:
    return any(cells == [str(first + i) for i in range(len(cells))] for first in (0, 1))


def _other_tag_columns(rows: list[TokenRow], tag_column: int) -> dict[int, str]:
    """Other columns that are sure to hold tags, with some of their cells."""
    width = min(len(row.columns) for row in rows)
    found = {}
    for column in {*range(width)} - {tag_column, len(rows[0].columns) + tag_column}:
        counts = Counter(row.columns[column] for row in rows)
        form = _sure_form(counts)
        if form and (form.tags is None or OUTSIDE in form.tags.values()):
            tagged = [cell for cell, _ in counts.most_common() if cell not in (OUTSIDE, "*", "_")]
            found[column] = list_values(tagged[:2])
    return found


def _sure_form(counts: Counter) -> TagForm | None:
    try:
        form = recognise(counts)
    except NotTags:
        return None
    return form if form.is_sure and len(counts) > 1 else None


def _not_tags(path: str, rows, tag_column: int, error: NotTags, others) -> UserError:
    first = next((r.number for r in rows if r.columns[tag_column] in error.cells), rows[0].number)
    remedy = (
        f"Column {next(iter(others))} holds tags: pass --tag-column {next(iter(others))}"
        if others
        else "Check --tag-column. Tags are O and B-PER, I-PER and the like"
    )
    cells = list_values(map(repr, error.cells), 3)
    return UserError(
        f"{path}: column {tag_column} has {cells} (first in line {first}): {error.reason}. {remedy}"
    )


def _ragged(sentences: list[list[TokenRow]]) -> list[str]:
    """A note of lines with another number of columns than their sentence."""
    odd = []
    for rows in sentences:
        widths = Counter(len(row.columns) for row in rows)
        [(usual, _)] = widths.most_common(1)
        odd += [row for row in rows if len(row.columns) != usual]
    if not odd:
        return []
    return [
        f"warning: {len(odd)} line(s) with another number of columns than those around them "
        f"(line {list_values(row.number for row in odd)}). Tokens with spaces need tabs between "
        "columns"
    ]


def _cut(tokens: list[list[str]], tags: list[list[str]]) -> tuple[list, list]:
    """Cuts texts at full stops outside of entities."""
    new_tokens, new_tags = [], []
    for words, marks in zip(tokens, tags, strict=True):
        stops = [
            i + 1
            for i, (word, mark) in enumerate(zip(words, marks, strict=True))
            if word in _FULL_STOPS and mark == OUTSIDE
        ]
        for begin, end in pairwise(sorted({0, *stops, len(words)})):
            new_tokens.append(words[begin:end])
            new_tags.append(marks[begin:end])
    return new_tokens, new_tags
