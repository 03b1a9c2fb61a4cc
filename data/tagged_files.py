"""Users' own tagged texts: columns of tokens, or JSON lines with spans, to a corpus."""

from dataclasses import replace
from pathlib import Path

from data.conll import read_conll
from data.errors import UserError
from data.files import sha256
from data.span_records import read_spans
from data.splits import FRACTIONS
from data.tagged import TaggedCorpus, TaggedTexts, split_tagged, tagged_corpus
from data.tagged_columns import TaggedColumns

_RECORDS = (".jsonl", ".parquet")


def read_tagged_files(
    path: str,
    columns: TaggedColumns,
    validation: str | None = None,
    test: str | None = None,
    types: tuple[str, ...] = (),
) -> TaggedCorpus:
    """Reads a file of tagged texts, and those of other splits where they have files of their own.

    What neither a file nor a column of splits says is split by content, 80/10/10.

    Args:
        path: a .jsonl or .parquet file of texts with spans, or any other file of columns.
        columns: which hold what.
        validation, test: files of these splits, or None.
        types: those of a trained model, for files that are only evaluated; empty: those that occur.

    Raises:
        UserError: a file that cannot be used, or types that the model does not know.
    """
    splits = _read(path, columns)
    for name, file in (("validation", validation), ("test", test)):
        if file is not None:
            parts = _read(file, columns)
            splits[name] = TaggedTexts([row for part in parts.values() for row in part])
    unsplit = splits.pop("", None)
    if unsplit is not None:
        wanted = {name: share for name, share in FRACTIONS.items() if name not in splits}
        if test is not None or validation is not None:
            # Rows beside files of other splits are for training, but something must choose the
            # epoch.
            wanted.pop("test", None)
        total = sum(wanted.values())
        fractions = {name: share / total for name, share in wanted.items()}
        splits |= split_tagged(unsplit, fractions) if len(wanted) > 1 else {"train": unsplit}
    elif "validation" not in splits and "train" in splits:
        splits |= split_tagged(splits["train"], {"train": 0.9, "validation": 0.1})
    corpus = tagged_corpus(Path(path).name, splits, types)
    if validation is None and test is None:
        # A resumption compares it before anything is read.
        corpus = replace(corpus, checksum=sha256(Path(path)))
    _check_types(corpus, path, types)
    return corpus


def _read(path: str, columns: TaggedColumns) -> dict[str, TaggedTexts]:
    if Path(path).suffix.lower() in _RECORDS:
        return read_spans(path, columns.text, columns.spans, columns.split)
    sentences, scheme = read_conll(path, columns.token, columns.tag)
    if scheme != "BIO":
        print(f"{path}: tags of the scheme {scheme}, taken as BIO")
    return {"": sentences}


def _check_types(corpus: TaggedCorpus, path: str, types: tuple[str, ...]) -> None:
    if not corpus.class_names:
        raise UserError(f"{path} has no entity. Check --tag-column or --spans-column")
    for name, part in corpus.splits.items():
        if types and part.types() - set(types):
            raise UserError(
                f"{path} has the type {min(part.types() - set(types))!r}, the model knows "
                f"{', '.join(types)}. Evaluate on data with the model's types"
            )
        if not types and name == "train" and set(corpus.class_names) - part.types():
            absent = min(set(corpus.class_names) - part.types())
            raise UserError(f"{path} has no {absent!r} in its training texts. Add some, or drop it")
