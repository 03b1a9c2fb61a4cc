"""Users' own texts to learn a language from: a text, a folder of texts, or a table of texts."""

import codecs
from pathlib import Path

from data.errors import UserError, list_values
from data.examples.documents import DocumentCorpus, Documents, cut_text, split_documents
from data.examples.splits import TWO_SPLITS
from data.files.lines import UTF16
from data.files.writing import sha256
from data.messages import warn
from data.user_files.columns import LabelledColumns
from data.user_files.labelled import assign_rows, read_labelled_file, read_row_splits, read_rows

_TABLES = (".csv", ".tsv", ".jsonl", ".parquet")


def read_document_files(
    path: str,
    columns: LabelledColumns,
    conditioned: bool = False,
    validation: str | None = None,
    test: str | None = None,
    class_names: tuple[str, ...] = (),
) -> DocumentCorpus:
    """Reads a user's texts.

    A table has a text a row, and is split by its column of splits, or by content, 80/10/10. The
    files of a folder are whole texts, split by content, 90/10; hidden, empty and binary files are
    left out. Any other file is one text, whose last tenth is the validation split.

    Args:
        path: a file or a folder.
        columns: the columns of tables.
        conditioned: whether the texts keep their classes, which only tables have.
        validation, test: files or folders of these splits, or None.
        class_names: the classes of a trained model, to evaluate it on other texts.

    Raises:
        UserError: a file or folder cannot be used.
    """
    if conditioned:
        if Path(path).suffix.lower() not in _TABLES or validation or test:
            raise UserError(
                f"--conditioned needs texts with classes, {path} has none. Pass one table "
                f"({', '.join(_TABLES)}) with --text-column and --label-column"
            )
        corpus = read_labelled_file(path, columns, class_names)
        return DocumentCorpus.from_labelled(corpus, conditioned=True)
    if validation or test:
        files = {"train": path, "validation": validation, "test": test}
        splits = {name: _read_all(file, columns) for name, file in files.items() if file}
        if not validation:
            splits |= split_documents(splits["train"], TWO_SPLITS)
        return DocumentCorpus.from_splits(Path(path).name, splits)
    # Only a table has a test split of its own; otherwise the user passes a file for it.
    if Path(path).is_dir():
        return DocumentCorpus.from_splits(
            Path(path).name, split_documents(_read_folder(Path(path)), TWO_SPLITS)
        )
    if Path(path).suffix.lower() in _TABLES:
        splits = _read_table(path, columns)
    else:
        splits = cut_text(_read_text(Path(path)))
    return DocumentCorpus.from_splits(Path(path).name, splits, checksum=sha256(path))


def _read_all(path: str, columns: LabelledColumns) -> Documents:
    """Reads all of a file or folder as whole texts."""
    if Path(path).is_dir():
        return _read_folder(Path(path))
    if Path(path).suffix.lower() in _TABLES:
        return Documents(read_rows(path, columns, [])[columns.text].tolist())
    return Documents([_read_text(Path(path))])


def _read_folder(folder: Path) -> Documents:
    texts, empty, binary = [], [], []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or not path.is_file():
            continue
        content = _read_bytes(path)
        if _is_binary(content):
            binary.append(name)
        elif not content.removeprefix(codecs.BOM_UTF8).strip():
            empty.append(name)
        else:
            texts.append(_decode(path, content))
    for kind, names in (("empty", empty), ("binary", binary)):
        if names:
            # In quotation marks, no name reaches a terminal raw, whoever chose it.
            shown = list_values(repr(str(name)) for name in names)
            warn(f"{folder}: {len(names)} {kind} file(s) left out: {shown}")
    if len(texts) < 2:
        raise UserError(
            f"{folder} holds {len(texts)} file(s) of text, two are needed: one to train, one to "
            "validate. Pass the file itself, or --validation-file"
        )
    return Documents(texts)


def _read_text(path: Path) -> str:
    content = _read_bytes(path)
    if _is_binary(content):
        raise UserError(f"{path} is not text: it holds null bytes. Check --dataset")
    text = _decode(path, content)
    if len(text.strip()) < 2:
        raise UserError(f"{path} holds no text. Check --dataset")
    return text


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. Check the path") from None


def _is_binary(content: bytes) -> bool:
    """Returns whether a file is not text, by Git's rule: text in UTF-8 has no null byte."""
    return b"\0" in content and not content.startswith(UTF16)


def _decode(path: Path, content: bytes) -> str:
    """Decodes a text; every line end becomes a line feed."""
    if content.startswith(UTF16):
        raise UserError(f"{path} is UTF-16, UTF-8 is needed. Save it again as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: {error.reason}. Save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_table(path: str, columns: LabelledColumns) -> dict[str, Documents]:
    """Reads the texts of a table by split."""
    table = read_rows(path, columns, [])
    texts = table[columns.text].tolist()
    rows_by_split = assign_rows(texts, [0] * len(texts), read_row_splits(table, columns, path))
    documents = Documents(texts)
    return {name: documents.take(rows) for name, rows in rows_by_split.items() if len(rows)}
