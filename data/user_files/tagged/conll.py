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
    describe_entity_share,
    read_tags,
    recognise_form,
)

_DOCUMENT = "-DOCSTART-"
_DOCUMENT_COMMENTS = ("#begin document", "#end document")
# The number of a word; the group matches multi-word tokens and empty nodes of CoNLL-U, whose words
# have lines of their own.
_NUMBER = re.compile(r"\d+([-.]\d+)?")
TOKEN_HEADERS = {"token", "tokens", "word", "words", "form", "text"}
TAG_HEADERS = {"tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "iob", "bio", "ne"}
_FULL_STOPS = set(".!?…。！？।؟۔")
# A file without an empty line is one sentence, if it has no more tokens than this.
_LONGEST_SENTENCE = 50


class TokenRow(NamedTuple):
    """A line with a token, its tag and further columns.

    Attributes:
        number: the number of the line.
        line: the line itself.
        columns: its cells.
    """

    number: int
    line: str
    columns: list[str]


def read_conll(
    path: str | Path, token_column: int = 0, tag_column: int = -1
) -> tuple[TaggedTexts, tuple[str, ...]]:
    """Reads sentences from a file with a token and its tag a line.

    Tabs separate the columns of a line that has one, otherwise spaces do; other white space belongs
    to a token. Lines of white space end a sentence. Document markers, comments, a header and the
    multi-word tokens of CoNLL-U are skipped.

    Args:
        path: a UTF-8 file.
        token_column, tag_column: numbers from 0; negative ones count from the right.

    Returns:
        The sentences, and notes for the user of what was recognised.

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
    return make_tagged_texts(path, sentences, has_breaks, token_column, tag_column)


def find_tag_scheme(path: str | Path, token_column: int = 0, tag_column: int = -1) -> str:
    """Finds the scheme of the tags in a file of columns: `IO`, `IOB1`, `BIO` or `BIOES`.

    Args and raises as `read_conll`.
    """
    sentences, _ = _read_sentences(str(path), token_column, tag_column)
    tags, _ = read_tags([[row.columns[tag_column] for row in rows] for rows in sentences])
    return find_scheme(tags)


def make_tagged_texts(
    path: str,
    sentences: list[list[TokenRow]],
    has_breaks: bool,
    token_column: int,
    tag_column: int,
) -> tuple[TaggedTexts, tuple[str, ...]]:
    """Makes tagged texts of sentences.

    Args:
        path: the file, for messages.
        sentences: rows with a token and a tag, by sentence.
        has_breaks: whether the file marks the ends of sentences.
        token_column, tag_column: the columns of tokens and tags in the rows.

    Returns:
        The sentences, and notes for the user of what was recognised.

    Raises:
        UserError: the column holds no tags.
    """
    cells = [[row.columns[tag_column] for row in rows] for rows in sentences]
    rows = [row for rows in sentences for row in rows]
    others = _other_tag_columns(rows, tag_column)
    try:
        tags, form = read_tags(cells)
    except NotTags as error:
        raise _explain_tags(path, rows, tag_column, error, others) from None
    has_outside = any(OUTSIDE in sequence for sequence in tags)
    if others and not form.is_sure and not has_outside:
        doubt = NotTags({cell for row in cells for cell in row}, "not tags: none of them is O")
        raise _explain_tags(path, rows, tag_column, doubt, others)
    tokens = [[row.columns[token_column] for row in rows] for rows in sentences]
    notes = [
        *form.notes,
        *_describe_tags(tags, others, tag_column),
        *_describe_ragged_rows(sentences),
    ]
    if not has_breaks and max(map(len, tokens)) > _LONGEST_SENTENCE:
        before, (tokens, tags) = len(tokens), _cut_at_full_stops(tokens, tags)
        cut = f"cut into {len(tokens)} at full stops" if len(tokens) > before else "it stays whole"
        notes.append(f"warning: no empty lines between sentences: {cut}")
    texts = [TaggedText.from_tokens(*pair) for pair in zip(tokens, tags, strict=True)]
    return TaggedTexts(texts), tuple(notes)


def _describe_tags(tags: list[list[str]], others: dict[int, str], tag_column: int) -> list[str]:
    notes = []
    scheme = find_scheme(tags)
    if scheme != "BIO":
        notes.append(f"tags of the scheme {scheme}, taken as BIO")
    if share := describe_entity_share(tags):
        notes.append(f"warning: {share}")
    if others:
        columns = list_values(f"{column} ({cells})" for column, cells in others.items())
        notes.append(
            f"column {columns} holds tags, too; column {tag_column} is read. Choose with "
            "--tag-column"
        )
    return notes


def _read_sentences(
    path: str, token_column: int, tag_column: int
) -> tuple[list[list[TokenRow]], bool]:
    """Reads the rows of each sentence, and whether empty lines separate any of them."""
    groups, has_breaks = _read_groups(path)
    rows = [row for group in groups for row in group]
    # A line that begins with # is a token only if it looks like the others.
    plain = [row for row in rows if not row.line.startswith("#")] or rows
    widths = {len(row.columns) for row in plain}
    seen = {_find_cell(row.columns, tag_column) for row in plain}
    is_numbered = token_column != 0 and all(_NUMBER.fullmatch(row.columns[0]) for row in plain)

    def is_token(row: TokenRow) -> bool:
        if row is rows[0] and _is_header(row, token_column, tag_column):
            return False
        if row.line.startswith("#"):
            cell = _find_cell(row.columns, tag_column)
            return len(row.columns) in widths and (cell in seen or is_tag(cell))
        match = _NUMBER.fullmatch(row.columns[0])
        return not (is_numbered and match and match[1])

    groups = [[row for row in group if is_token(row)] for group in groups]
    _check_columns(path, groups, token_column, tag_column)
    groups = [[row for row in group if row.columns[token_column].strip()] for group in groups]
    return [group for group in groups if group], has_breaks


def _read_groups(path: str) -> tuple[list[list[TokenRow]], bool]:
    """Reads the rows between empty lines and document markers, including comments."""
    groups: list[list[TokenRow]] = [[]]
    has_breaks = last_is_empty = False
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
            # An empty line next to a marker ends the document, not a sentence of it.
            last_is_empty &= is_empty
            continue
        if len(groups) > 1 and not groups[-1]:
            has_breaks |= last_is_empty
        groups[-1].append(TokenRow(number, line, columns))
    return groups, has_breaks


def _find_cell(columns: list[str], column: int) -> str:
    return columns[column] if -len(columns) <= column < len(columns) else ""


def _is_header(row: TokenRow, token_column: int, tag_column: int) -> bool:
    token, tag = (_find_cell(row.columns, at).lower() for at in (token_column, tag_column))
    return token in TOKEN_HEADERS and tag in TAG_HEADERS


def _check_columns(
    path: str, groups: list[list[TokenRow]], token_column: int, tag_column: int
) -> None:
    """Refuses rows that lack a column, a token or a tag."""
    # The smallest number of columns that a line needs, counted from the left or the right.
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
    # Twitter corpora have rows whose token is white space; they are skipped.
    return bool(token.strip()) or tag == OUTSIDE


def _check_token_column(path: str, sentences: list[list[TokenRow]], token_column: int) -> None:
    """Refuses a column that numbers the tokens of each sentence if the next column has words."""
    rows = [row for sentence in sentences for row in sentence]
    next_column = token_column + 1
    words = [_find_cell(row.columns, next_column) for row in rows if len(row.columns) > 2]
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
    """Finds other columns that are sure to hold tags, and some of their cells."""
    width = min(len(row.columns) for row in rows)
    examples = {}
    for column in {*range(width)} - {tag_column, len(rows[0].columns) + tag_column}:
        counts = Counter(row.columns[column] for row in rows)
        form = _sure_form(counts)
        if form and (form.tags is None or OUTSIDE in form.tags.values()):
            tagged = [cell for cell, _ in counts.most_common() if cell not in (OUTSIDE, "*", "_")]
            examples[column] = list_values(tagged[:2])
    return examples


def _sure_form(counts: Counter) -> TagForm | None:
    try:
        form = recognise_form(counts)
    except NotTags:
        return None
    return form if form.is_sure and len(counts) > 1 else None


def _explain_tags(
    path: str, rows: list[TokenRow], tag_column: int, error: NotTags, others: dict[int, str]
) -> UserError:
    """Returns the error for a column that holds no tags."""
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


def _describe_ragged_rows(sentences: list[list[TokenRow]]) -> list[str]:
    """Returns a warning of lines with another number of columns than their sentence has."""
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


def _cut_at_full_stops(tokens: list[list[str]], tags: list[list[str]]) -> tuple[list, list]:
    """Cuts sentences at full stops outside of entities."""
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
