"""Users' own labelled texts, read from CSV, TSV, JSON lines or Parquet and checked row by row."""

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import UserError, did_you_mean, list_values, refuse_rows
from data.examples.corpus import SPLITS, sort_names
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.examples.splits import (
    FRACTIONS,
    SPLIT_NAMES,
    TWO_SPLITS,
    split_by_content,
    warn_of_replaced,
)
from data.files.lines import is_utf8
from data.files.writing import sha256
from data.formats.readers import read_records
from data.user_files.columns import LabelledColumns
from data.user_files.labels import is_multi_label, label_name, make_targets, read_label_sets

# A class needs one row in each split: to be learned, validated and tested.
_FEWEST_ROWS = 3
# Rows times classes: the targets take 1 GiB.
_MOST_TARGETS = 2**28


def read_labelled_file(
    path: str,
    columns: LabelledColumns = LabelledColumns(),  # noqa: B008 (it is frozen)
    class_names: tuple[str, ...] = (),
    validation: str | None = None,
    test: str | None = None,
) -> LabelledCorpus:
    """Reads a file of labelled texts, and the files of other splits if there are any.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet file.
        columns: which columns hold what.
        class_names: the classes of a trained model, for files that are only evaluated; empty for
            the labels that occur in the file.
        validation, test: files of these splits, or None.

    Returns:
        The corpus; without a split column its splits are made by content: 80/10/10, or beside files
        of other splits 90/10 for training and the validation that it needs.

    Raises:
        UserError: rows cannot be used; the message has their numbers, from 1 after the header.
    """
    table = read_rows(path, columns, columns.labels)
    row_splits = read_row_splits(table, columns, path)
    label_sets, found = read_label_sets(table, columns, path)
    names = class_names or sort_names(found)
    if not class_names:
        _check_classes(label_sets, names, path)
    targets = make_targets(label_sets, names, path, columns)
    multi_label = is_multi_label(table, columns)
    texts = table[columns.text].tolist()
    strata = [tuple(np.flatnonzero(row)) for row in targets]
    given = {"validation": validation, "test": test}
    files = {name: file for name, file in given.items() if file}
    others = {name: _read_split(file, columns, names) for name, file in files.items()}
    split_rows = assign_rows(texts, strata, row_splits, others)
    warn_of_replaced(path, split_rows, files)
    if not class_names:
        _check_training_classes(split_rows["train"], targets, names, path)
    examples = LabelledTexts(texts, targets, names)
    splits = {name: examples.take(rows) for name, rows in split_rows.items() if len(rows)} | others
    if not others:
        return LabelledCorpus(Path(path).name, sha256(path), splits, names, multi_label)
    splits = {name: splits[name] for name in SPLITS if name in splits}
    corpus = LabelledCorpus.from_splits(Path(path).name, splits, names)
    return replace(corpus, multi_label=multi_label)


def _read_split(path: str, columns: LabelledColumns, class_names: tuple[str, ...]) -> LabelledTexts:
    """Reads a file whose rows are all of one split."""
    table = read_rows(path, columns, columns.labels)
    label_sets, _ = read_label_sets(table, columns, path)
    targets = make_targets(label_sets, class_names, path, columns)
    return LabelledTexts(table[columns.text].tolist(), targets, class_names)


def read_rows(path: str, columns: LabelledColumns, labels: list[str]) -> pd.DataFrame:
    """Reads the texts of a table and the columns with their labels and splits.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet file.
        columns: which columns hold what.
        labels: the columns with labels, which must be there; that of the splits may be missing.

    Returns:
        All rows, each with a text; the index is the row numbers, from 1.

    Raises:
        UserError: a column is missing, or rows cannot be read, have no text, or are not UTF-8.
    """
    wanted = [columns.text, *labels]
    if len(set(wanted)) < len(wanted):
        raise UserError(
            f"one column cannot be two: {', '.join(wanted)}. Check --text-column and --label-column"
        )
    # Other columns are not kept: there may be many, and different ones in every row.
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
            f"{path}: {len(bad)} unreadable row(s): {list_values(bad, 3)}. Fix or drop them"
        )
    if not rows:
        raise UserError(f"{path} has no rows. Expected a header and one row a text")
    missing = [name for name in wanted if name not in found]
    if missing:
        choices = " and --label-column" * bool(labels)
        raise UserError(
            f"no column {list_values(map(repr, missing))} in {path}. It has: "
            f"{list_values(found, 12)}. Choose with --text-column{choices}"
            f"{did_you_mean(missing[0], found)}"
        )
    # Objects: pandas' own strings cannot hold what the reader makes of bytes that are not UTF-8.
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=kept, dtype=object)
    table = table[[name for name in kept if name in found]]
    texts = table[columns.text]
    refuse_rows(path, table.index[texts.isna()], "without a text")
    odd = ~texts.map(lambda text: isinstance(text, str))
    refuse_rows(path, table.index[odd], f"whose {columns.text!r} is not text")
    odd = table.map(lambda cell: isinstance(cell, str) and not is_utf8(cell)).any(axis=1)
    refuse_rows(path, table.index[odd], "that are not UTF-8 (convert the file to UTF-8)")
    refuse_rows(path, table.index[texts.str.strip() == ""], "with an empty text")
    return table


def _check_classes(label_sets: pd.Series, names: tuple, path: str) -> None:
    """Refuses labels that cannot be classes, before any array of rows times classes is made."""
    if not names:
        raise UserError(f"{path} has no label in any row. Check --label-column")
    counts = Counter(label for labels in label_sets for label in labels)
    if len(names) < 2 and counts[names[0]] == len(label_sets):
        raise UserError(
            f"{path} has a single class, {names[0]!r}: a classifier needs two. "
            "Add rows of another class, or check --label-column"
        )
    few = [name for name in names if counts[name] < _FEWEST_ROWS]
    if few:
        rows = label_sets.index[label_sets.map(lambda labels: few[0] in labels)]
        raise UserError(
            f"{path} has too few rows for {len(few)} of {len(names)} classes, first {few[0]!r} "
            f"with {counts[few[0]]} (row {list_values(rows)}). At least {_FEWEST_ROWS} are needed: "
            "add rows, merge classes, or check --label-column"
        )
    if len(names) * len(label_sets) > _MOST_TARGETS:
        raise UserError(
            f"{path} has {len(names):,} classes in {len(label_sets):,} rows, too many to hold in "
            "memory. Merge classes, or check --label-column"
        )


def _check_training_classes(
    rows: np.ndarray, targets: np.ndarray, names: tuple[str, ...], path: str
) -> None:
    """Refuses a class without a row in the training split."""
    counts = targets[rows].sum(axis=0)
    absent = [name for name, count in zip(names, counts, strict=True) if count == 0]
    if absent:
        rows = np.flatnonzero(targets[:, names.index(absent[0])]) + 1
        raise UserError(
            f"{path} has no training row of {list_values(map(repr, absent))}, which stands in row "
            f"{list_values(rows)} of another split. Add some, or drop the class"
        )


def read_row_splits(table: pd.DataFrame, columns: LabelledColumns, path: str) -> pd.Series | None:
    """Returns the split of each row, or None if the file has no column of splits.

    Raises:
        UserError: a row has a split of another name.
    """
    if columns.split not in table.columns:
        return None
    names = table[columns.split].map(label_name).str.lower()
    unknown = names[~names.isin(SPLIT_NAMES)]
    if len(unknown):
        raise UserError(
            f"{path}: {len(unknown)} row(s) of an unknown split, first {unknown.iloc[0]!r} in row "
            f"{list_values(unknown.index)}. Choose from: {', '.join(SPLIT_NAMES)}"
        )
    return names.map(SPLIT_NAMES)


def assign_rows(
    texts: list[str],
    strata: Sequence[Hashable],
    row_splits: pd.Series | None,
    others: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """Returns row positions by split; rows without a split of their own are split by content.

    Args:
        texts: of all rows.
        strata: by row, what each split should have as often as the whole.
        row_splits: the return value of `read_row_splits`.
        others: the splits that stand in other files. Beside them, rows without a split are for
            training and the validation that it needs.
    """
    if row_splits is None:
        if "validation" in others:
            return {"train": np.arange(len(texts))}
        parts = split_by_content(texts, strata, fractions=TWO_SPLITS if others else FRACTIONS)
        return {name: np.array(rows, np.int64) for name, rows in parts.items()}
    split_rows = {name: np.flatnonzero(row_splits == name) for name in FRACTIONS}
    missing = not len(split_rows["validation"]) and "validation" not in others
    if missing and len(split_rows["train"]):
        # Something must choose the epoch, and it must not be the test split.
        train = split_rows["train"]
        parts = split_by_content(
            [texts[row] for row in train.tolist()],
            [strata[row] for row in train.tolist()],
            fractions=TWO_SPLITS,
        )
        split_rows |= {name: train[parts[name]] for name in ("train", "validation")}
    return split_rows
