"""Users' own texts to learn a language from: a text, a folder of texts, or a table of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.columns import Columns
from data.documents import DocumentCorpus, Documents, cut, document_corpus, split_documents
from data.errors import UserError, refuse_rows
from data.examples import Corpus
from data.files import sha256
from data.records import read_records
from data.splits import FRACTIONS
from data.tabular import SPLIT_NAMES, read_table

_TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
# Without a table there is no test split: whoever wants one has a file for it.
_TWO = {"train": 0.9, "validation": 0.1}


def read_document_files(
    path: str,
    columns: Columns,
    conditioned: bool = False,
    validation: str | None = None,
    test: str | None = None,
    class_names: tuple[str, ...] = (),
) -> DocumentCorpus:
    """Reads a user's texts.

    A table has a text a row; it is split as its column says, or by content, 80/10/10. The files of
    a folder are whole texts, split by content, 90/10. Any other file is one text, whose last tenth
    is the validation split.

    Args:
        path: a file or a folder.
        columns: of tables.
        conditioned: whether the texts' classes are wanted; tables alone have some.
        validation, test: files or folders of these splits, or None.
        class_names: of a trained model, to measure it on other texts.

    Raises:
        UserError: something cannot be used.
    """
    if conditioned:
        if Path(path).suffix.lower() not in _TABLES or validation or test:
            raise UserError(
                f"--conditioned needs texts with classes, {path} has none. Pass one table "
                f"({', '.join(_TABLES)}) with --text-column and --label-column"
            )
        return labelled_documents(read_table(path, columns, class_names))
    if validation or test:
        splits = {"train": path, "validation": validation, "test": test}
        splits = {name: _all(file, columns) for name, file in splits.items() if file}
        if not validation:
            splits |= split_documents(splits["train"], _TWO)
        return document_corpus(Path(path).name, splits)
    if Path(path).is_dir():
        return document_corpus(Path(path).name, split_documents(_folder(Path(path)), _TWO))
    if Path(path).suffix.lower() in _TABLES:
        splits = _table(path, columns)
    else:
        splits = cut(_text(Path(path)))
    return document_corpus(Path(path).name, splits, checksum=sha256(path))


def labelled_documents(corpus: Corpus, conditioned: bool = True) -> DocumentCorpus:
    """The texts of a corpus of labelled texts, with or without their classes.

    Raises:
        UserError: they may have several.
    """
    if conditioned and corpus.multi_label:
        raise UserError(f"{corpus.name} has any number of classes a text. Pass one --label-column")
    splits = {
        name: Documents(
            part.texts, True, part.targets.argmax(axis=1).astype(np.int32) if conditioned else None
        )
        for name, part in corpus.splits.items()
    }
    made = document_corpus(corpus.name, splits, corpus.class_names if conditioned else ())
    return replace(made, checksum=corpus.checksum)


def _all(path: str, columns: Columns) -> Documents:
    """Everything in a file or folder, as whole texts."""
    if Path(path).is_dir():
        return _folder(Path(path))
    if Path(path).suffix.lower() in _TABLES:
        return Documents([text for part in _table(path, columns).values() for text in part])
    return Documents([_text(Path(path))])


def _folder(folder: Path) -> Documents:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    texts = [_text(file) for file in files if not file.name.startswith(".")]
    if len(texts) < 2:
        raise UserError(
            f"{folder} holds {len(texts)} file(s) of text, two are needed: one to train, one to "
            "validate. Pass the file itself, or --validation-file"
        )
    return Documents(texts)


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. Check the path") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8 text: {error.reason}. Save it as UTF-8") from None
    if len(text.strip()) < 2:
        raise UserError(f"{path} holds no text. Check --dataset")
    return text


def _table(path: str, columns: Columns) -> dict[str, Documents]:
    """The texts of a table by split."""
    records = list(read_records(path))
    unusable = [
        record.number
        for record in records
        if record.problem or not str(record.values.get(columns.text) or "").strip()
    ]
    refuse_rows(path, unusable, f"unreadable or without a {columns.text!r}")
    if not records:
        raise UserError(f"{path} has no rows. Expected a header and one row a text")
    texts = Documents([str(record.values[columns.text]) for record in records])
    if columns.split not in records[0].values:
        return split_documents(texts, FRACTIONS)
    names = [SPLIT_NAMES.get(str(r.values[columns.split]).strip().lower()) for r in records]
    wrong = [record.number for record, name in zip(records, names, strict=True) if name is None]
    refuse_rows(path, wrong, f"whose {columns.split!r} is no split")
    return {
        name: texts.take([i for i, each in enumerate(names) if each == name])
        for name in dict.fromkeys(names)
    }
