"""Tables with a token, its tag and its sentence in named columns, a token a row, as on Kaggle."""

from data.errors import UserError, list_values, refuse_rows
from data.examples.tagged import TaggedTexts
from data.files.lines import is_utf8
from data.formats.readers import read_records
from data.user_files.tagged.conll import TAG_HEADERS, TOKEN_HEADERS, TokenRow, make_tagged_texts

_SENTENCES = ("sentence", "sent_id", "sent")


def has_tokens(names: list[str]) -> bool:
    """Returns whether columns of these names hold tokens and tags."""
    return bool(_find_column(names, TOKEN_HEADERS) and _find_column(names, TAG_HEADERS))


def has_sentences(names: list[str]) -> bool:
    """Returns whether one of these columns says which sentence a token belongs to."""
    return bool(_find_sentence_column(names))


def read_token_table(path: str) -> tuple[TaggedTexts, tuple[str, ...]]:
    """Reads sentences from a table with a token a row.

    A sentence begins where the cell of its column is not empty and differs from the one before. If
    there is no such column, the tokens are cut at full stops.

    Args:
        path: a .csv or .tsv file.

    Returns:
        The sentences, and notes for the user of what was recognised.

    Raises:
        UserError: the file cannot be read, or a column holds no tags.
    """
    records = [*read_records(path)]
    bad = [r.number for r in records if r.problem or not all(map(_is_readable, r.values.values()))]
    refuse_rows(path, bad, "that cannot be read or are not UTF-8 (convert the file)")
    if not records:
        raise UserError(f"{path} has no rows. Expected a token and its tag in each")
    names = list(records[0].values)
    token, tag = _find_column(names, TOKEN_HEADERS), _find_column(names, TAG_HEADERS)
    if not (token and tag):
        raise UserError(
            f"{path} has the columns {list_values(names, 12)}. Expected columns such as Word and "
            "Tag"
        )
    sentence = _find_sentence_column(names)
    sentences: list[list[TokenRow]] = []
    last = None
    for record in records:
        cell = record.values.get(sentence)
        if not sentences or (cell and cell != last):
            sentences.append([])
            last = cell
        columns = [str(record.values[name]).strip() for name in (token, tag)]
        if all(columns):
            sentences[-1].append(TokenRow(record.number, "", columns))
        elif any(columns):
            bad.append(record.number)
    refuse_rows(path, bad, f"without {token!r} or {tag!r}")
    sentences = [rows for rows in sentences if rows]
    texts, notes = make_tagged_texts(path, sentences, bool(sentence), 0, 1)
    note = f"a table of tokens: {token!r} with {tag!r}"
    return texts, (f"{note}, sentences by {sentence!r}" if sentence else note, *notes)


def _find_column(names: list[str], known: set[str]) -> str:
    return next((name for name in names if name.strip().lower() in known), "")


def _find_sentence_column(names: list[str]) -> str:
    return next((name for name in names if name.strip().lower().startswith(_SENTENCES)), "")


def _is_readable(cell: object) -> bool:
    return isinstance(cell, str) and is_utf8(cell)
