"""Users' own labelled texts: CSV, TSV, JSON lines or Parquet to a corpus, checked row by row."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import UserError, listed, refuse_rows
from data.examples.corpus import Corpus, LabelledTexts
from data.examples.splits import FRACTIONS, split_by_content
from data.files.lines import is_utf8
from data.files.writing import sha256
from data.formats.readers import read_records
from data.user_files.columns import Columns
from data.user_files.labels import in_order, is_multi_label, label_sets_of, name_of, targets_of

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
# One for each split is the least that a class needs to be learned, chosen and tested.
_FEWEST_ROWS = 3
# Rows times classes: the targets take 1 GiB.
_MOST_TARGETS = 2**28


def read_table(
    path: str,
    columns: Columns = Columns(),  # noqa: B008 (it is frozen)
    class_names: tuple = (),
) -> Corpus:
    """Reads a file of labelled texts.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet file.
        columns: which columns hold what.
        class_names: the classes of a trained model, for files that are only evaluated; empty:
            the classes are what the labels of the file say.

    Returns:
        The corpus; without a split column its splits are made by content, 80/10/10.

    Raises:
        UserError: one line with the numbers of the rows that cannot be used, counted from 1
            after the header.
    """
    table = read_rows(path, columns, columns.labels)
    split_of = splits_in(table, columns, path)
    label_sets, found = label_sets_of(table, columns, path)
    names = class_names or in_order(found)
    if not class_names:
        _check_classes(label_sets, names, path)
    targets = targets_of(label_sets, names, path, columns)
    multi_label = is_multi_label(table, columns)
    texts = table[columns.text].tolist()
    rows_of = rows_by_split(texts, [tuple(np.flatnonzero(row)) for row in targets], split_of)
    if not class_names:
        _check_training_classes(rows_of, targets, names, path)
    everything = LabelledTexts(texts, targets, names)
    splits = {name: everything.take(rows) for name, rows in rows_of.items() if len(rows)}
    return Corpus(Path(path).name, sha256(path), names, multi_label, splits)


def read_rows(path: str, columns: Columns, labels: list[str]) -> pd.DataFrame:
    """Reads the texts of a file, and what else is wanted of their rows.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet file.
        columns: which columns hold what.
        labels: further columns that are wanted; that of the splits is read if the file has it.

    Returns:
        All rows; the index is their numbers, from 1. Each has a text.

    Raises:
        UserError: a column is missing, or rows cannot be read, have no text, or are not UTF-8.
    """
    wanted = [columns.text, *labels]
    if len(set(wanted)) < len(wanted):
        raise UserError(
            f"one column cannot be two: {', '.join(wanted)}. Check --text-column and --label-column"
        )
    # Only what is wanted is kept: other columns may be many, or others in every row.
    kept = list(dict.fromkeys([*wanted, columns.split]))
    rows, bad, found = {}, [], {}
    for record in read_records(path):
        if record.problem:
            bad.append(f"row {record.number}: {record.problem}")
        else:
            found.update(dict.fromkeys(record.values))
            rows[record.number] = [record.values.get(name) for name in kept]
    if bad:
        raise UserError(
            f"{path}: {len(bad)} unreadable row(s): {listed(bad, 3)}. Mend or drop them"
        )
    if not rows:
        raise UserError(f"{path} has no rows. Expected a header and one row a text")
    missing = [name for name in wanted if name not in found]
    if missing:
        choices = " and --label-column" * bool(labels)
        raise UserError(
            f"no column {listed(map(repr, missing))} in {path}. It has: {listed(found, 12)}. "
            f"Choose with --text-column{choices}"
        )
    # Objects: pandas' own strings cannot hold what the reader makes of bytes that are not UTF-8.
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=kept, dtype=object)
    table = table[[name for name in kept if name in found]]
    texts = table[columns.text]
    refuse_rows(path, table.index[texts.isna()], "without a text")
    odd = ~texts.map(lambda text: isinstance(text, str))
    refuse_rows(path, table.index[odd], f"whose {columns.text!r} is no text")
    odd = table.map(lambda cell: isinstance(cell, str) and not is_utf8(cell)).any(axis=1)
    refuse_rows(path, table.index[odd], "that are not UTF-8 (convert the file to UTF-8)")
    refuse_rows(path, table.index[texts.str.strip() == ""], "with an empty text")
    return table


def _check_classes(label_sets: pd.Series, names: tuple, path: str) -> None:
    """Refuses labels that are no classes, before anything of rows times classes is made."""
    if not names:
        raise UserError(f"{path} has no label in any row. Check --label-column")
    counts = Counter(label for labels in label_sets for label in labels)
    if len(names) < 2 and counts[names[0]] == len(label_sets):
        raise UserError(
            f"{path} has a single class, {names[0]!r}: there is nothing to tell apart. "
            "Add rows of another class, or check --label-column"
        )
    few = [name for name in names if counts[name] < _FEWEST_ROWS]
    if few:
        rows = label_sets.index[label_sets.map(lambda labels: few[0] in labels)]
        raise UserError(
            f"{path} has too few rows for {len(few)} of {len(names)} classes, first {few[0]!r} "
            f"with {counts[few[0]]} (row {listed(rows)}). At least {_FEWEST_ROWS} are needed: "
            "add rows, merge classes, or check --label-column"
        )
    if len(names) * len(label_sets) > _MOST_TARGETS:
        raise UserError(
            f"{path} has {len(names):,} classes in {len(label_sets):,} rows, too many to hold in "
            "memory. Merge classes, or check --label-column"
        )


def _check_training_classes(rows_of: dict, targets: np.ndarray, names: tuple, path: str) -> None:
    counts = targets[rows_of["train"]].sum(axis=0)
    absent = [name for name, count in zip(names, counts, strict=True) if count == 0]
    if absent:
        rows = np.flatnonzero(targets[:, names.index(absent[0])]) + 1
        raise UserError(
            f"{path} has no training row of {listed(map(repr, absent))}, which stands in row "
            f"{listed(rows)} of another split. Add some, or drop the class"
        )


def splits_in(table: pd.DataFrame, columns: Columns, path: str) -> pd.Series | None:
    """The split of each row, or None where the file does not say.

    Raises:
        UserError: a row has a split of another name.
    """
    if columns.split not in table.columns:
        return None
    names = table[columns.split].map(name_of).str.lower()
    unknown = names[~names.isin(SPLIT_NAMES)]
    if len(unknown):
        raise UserError(
            f"{path}: {len(unknown)} row(s) of an unknown split, first {unknown.iloc[0]!r} in row "
            f"{listed(unknown.index)}. Choose from: {', '.join(SPLIT_NAMES)}"
        )
    return names.map(SPLIT_NAMES)


def rows_by_split(texts: list[str], strata: list, split_of: pd.Series | None) -> dict:
    """Row positions by split; what the file does not split is split by content.

    Args:
        texts: of all rows.
        strata: what a part of a split should have as often as the whole, by row.
        split_of: what `splits_in` returns.
    """
    if split_of is None:
        return split_by_content(texts, strata)
    rows_of = {name: np.flatnonzero(split_of == name) for name in FRACTIONS}
    if not len(rows_of["validation"]) and len(rows_of["train"]):
        # Something must choose the epoch, and it must not be the test split.
        train = rows_of["train"]
        parts = split_by_content(
            [texts[i] for i in train],
            [strata[i] for i in train],
            fractions={"train": 0.9, "validation": 0.1},
        )
        rows_of |= {name: train[parts[name]] for name in ("train", "validation")}
    return rows_of
