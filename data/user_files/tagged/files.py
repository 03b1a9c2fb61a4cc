"""Users' own tagged texts, read from columns of tokens, JSON with spans, or the files of brat."""

import re
from dataclasses import replace
from pathlib import Path

from data.errors import UserError, list_values
from data.examples.splits import FRACTIONS, TWO_SPLITS, warn_of_replaced
from data.examples.tagged import TaggedCorpus, TaggedTexts, split_tagged
from data.files.lines import read_lines
from data.files.writing import sha256
from data.messages import say
from data.user_files.columns import TaggedColumns
from data.user_files.tagged.brat import is_brat, read_brat
from data.user_files.tagged.conll import read_conll
from data.user_files.tagged.span_shapes import has_spans
from data.user_files.tagged.spans import read_spans
from data.user_files.tagged.token_tables import has_sentences, has_tokens, read_token_table

_RECORDS = (".json", ".jsonl", ".parquet")
_TABLES = (".csv", ".tsv")
_EXPORT = "Export it as JSON lines with text and spans"
# Formats that are known and not read, and what to do instead.
_NOT_READ = {
    ".xlsx": f"is a workbook. {_EXPORT}",
    ".spacy": f"is in spaCy's binary format. {_EXPORT}",
    ".xml": f"is XML. {_EXPORT}",
    ".xmi": f"is XML. {_EXPORT}",
    ".zip": "is packed. Unpack it and pass one of its files",
    ".gz": "is packed. Unpack it first",
}


def read_tagged_files(
    path: str,
    columns: TaggedColumns,
    validation: str | None = None,
    test: str | None = None,
    types: tuple[str, ...] = (),
) -> TaggedCorpus:
    """Reads a file of tagged texts, and the files of other splits if there are any.

    Texts that neither a file nor a column assigns to a split are split by content, 80/10/10.

    Args:
        path: a .jsonl, .json, .parquet, .csv or .tsv file of texts with spans, an .ann file of
            brat (or the .txt file of that name), or any other file of columns.
        columns: the columns of tokens and tags, or of texts and spans.
        validation, test: files of these splits, or None.
        types: the entity types of a trained model, for files that are only evaluated; empty for
            those that occur.

    Raises:
        UserError: a file cannot be used, or has entity types that the model does not know.
    """
    splits = _read_file(path, columns)
    given = {"validation": validation, "test": test}
    files = {name: file for name, file in given.items() if file is not None}
    warn_of_replaced(path, splits, files)
    for name, file in files.items():
        splits[name] = TaggedTexts.join([*_read_file(file, columns).values()])
    unsplit = splits.pop("", None)
    if unsplit is not None:
        wanted = {name: share for name, share in FRACTIONS.items() if name not in splits}
        if files:
            # If other splits have files, these rows are for training and the validation it needs.
            wanted.pop("test", None)
        total = sum(wanted.values())
        fractions = {name: share / total for name, share in wanted.items()}
        splits |= split_tagged(unsplit, fractions) if len(wanted) > 1 else {"train": unsplit}
    elif "validation" not in splits and "train" in splits:
        splits |= split_tagged(splits["train"], TWO_SPLITS)
    if "validation" not in splits and not types:
        count = sum(map(len, splits.values()))
        raise UserError(
            f"{path} has {count} text(s), too few to hold some out for validation. Add some, or "
            "pass --validation-file (in a file of columns an empty line ends a text)"
        )
    corpus = TaggedCorpus.from_splits(Path(path).name, splits, types)
    if not files:
        # A resumed training compares the checksum before it reads anything.
        corpus = replace(corpus, checksum=sha256(Path(path)))
    _check_types(corpus, path, types)
    return corpus


def _read_file(path: str, columns: TaggedColumns) -> dict[str, TaggedTexts]:
    """Reads the texts of a file by split, and reports what was recognised in it."""
    suffix = Path(path).suffix.lower()
    if suffix in _NOT_READ:
        raise UserError(f"{path} {_NOT_READ[suffix]}")
    names = _read_header(path, columns) if suffix in _TABLES else []
    if suffix in _RECORDS or has_spans(names, columns.text, columns.spans):
        splits, notes = read_spans(path, columns.text, columns.spans, columns.split)
    elif has_tokens(names) and (suffix == ".csv" or has_sentences(names)):
        texts, notes = read_token_table(path)
        splits = {"": texts}
    elif is_brat(path):
        texts, notes = read_brat(path)
        splits = {"": texts}
    else:
        texts, notes = read_conll(path, columns.token, columns.tag)
        splits = {"": texts}
    for note in notes:
        say(f"{path}: {note}")
    return splits


def _read_header(path: str, columns: TaggedColumns) -> list[str]:
    """Returns the names of a table's columns, or the cells of its first line.

    Raises:
        UserError: the cells stand between commas, but are neither texts with spans nor tokens.
    """
    head = next(read_lines(path), "")
    names = [name.strip(' "') for name in re.split(r"[,;\t]", head)]
    is_known = has_spans(names, columns.text, columns.spans) or has_tokens(names)
    if "," in head and "\t" not in head and not is_known:
        raise UserError(
            f"{path} has the columns {list_values(names, 12)}, but neither texts with spans (as "
            "JSON) nor tokens with tags (such as Word, Tag). Rename them, or write columns between "
            "tabs"
        )
    return names


def _check_types(corpus: TaggedCorpus, path: str, types: tuple[str, ...]) -> None:
    if not corpus.entity_types:
        raise UserError(f"{path} has no entity. Check --tag-column or --spans-column")
    for name, part in corpus.splits.items():
        if types and part.types - set(types):
            raise UserError(
                f"{path} has the type {min(part.types - set(types))!r}, the model knows "
                f"{', '.join(types)}. Evaluate on data with the model's types"
            )
        if not types and name == "train" and set(corpus.entity_types) - part.types:
            absent = min(set(corpus.entity_types) - part.types)
            raise UserError(f"{path} has no {absent!r} in its training texts. Add some, or drop it")
