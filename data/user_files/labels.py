"""Label cells to class names and targets."""

import math
import re
from decimal import Decimal

import numpy as np
import pandas as pd

from data.errors import UserError, listed, refuse_rows
from data.user_files.columns import Columns

_TRUTH = {"0": False, "false": False, "1": True, "true": True}
# What other programs write where there is no value; the list is that of `pandas.read_csv`. Case
# counts: "None" is Python's, but "none" and "NONE" are classes of many a corpus (no target, no
# stance), and "na" may well be one.
_MISSING = frozenset(
    ["", "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None"]
).union(["n/a", "nan", "null"])
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")


def is_multi_label(table: pd.DataFrame, columns: Columns) -> bool:
    """Whether a text may have any number of classes, as the columns or the cells say."""
    if len(columns.labels) > 1 or columns.label_separator:
        return True
    return bool(table[columns.label].map(lambda cell: isinstance(cell, list)).any())


def label_sets_of(table: pd.DataFrame, columns: Columns, path: str) -> tuple[pd.Series, set[str]]:
    """The set of class names of each row, and all names found.

    Raises:
        UserError: rows without a label, or with something else than names.
    """
    if len(columns.labels) > 1:
        return _from_columns(table, columns.labels, path)
    cells = table[columns.label]
    refuse_rows(path, table.index[cells.map(_is_nested)], f"whose {columns.label!r} is no label")
    label_sets = cells.map(lambda cell: _label_set(cell, columns.label_separator))
    if not is_multi_label(table, columns):
        refuse_rows(path, table.index[label_sets.map(len) == 0], "without a label")
    return label_sets, set().union(*label_sets)


def _is_nested(cell) -> bool:
    """Whether a cell is an object, or a list of anything but names and numbers."""
    parts = cell if isinstance(cell, list) else [cell]
    return any(isinstance(part, dict | list) for part in parts)


def _label_set(cell, separator: str) -> set[str]:
    """The names in one cell: a list of them, a text of several, or one; empty ones are none."""
    if not isinstance(cell, list):
        name = name_of(cell)
        cell = name.split(separator) if separator else [name]
    return {name_of(part) for part in cell} - {""}


def _from_columns(table: pd.DataFrame, names: list[str], path: str) -> tuple[pd.Series, set[str]]:
    cells = table[names].map(lambda cell: _TRUTH.get(name_of(cell).lower()))
    odd = table.index[cells.isna().any(axis=1)]
    refuse_rows(path, odd, f"where {listed(names)} are not all 0 or 1")
    label_sets = cells.apply(lambda row: {name for name in names if row[name]}, axis=1)
    return label_sets, set(names)


def name_of(value) -> str:
    """A label as text: 1, 1.0 and the texts "1" and "1.0" are one class in every format; what
    stands for a missing value is the empty text."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    name = str(value).strip()
    if name in _MISSING:
        return ""
    whole = _WHOLE.fullmatch(name)
    if whole:
        name = whole[1]
    return "0" if name == "-0" else name


def in_order(names: set[str]) -> tuple[str, ...]:
    """Numbers by value, names by alphabet."""
    if all(re.fullmatch("0|-?[1-9][0-9]*", name) for name in names):
        # Not by `int`, which refuses more than 4,300 digits.
        return tuple(sorted(names, key=Decimal))
    return tuple(sorted(names))


def targets_of(label_sets: pd.Series, names: tuple, path: str, columns: Columns) -> np.ndarray:
    """<float32>[rows, num_classes], 1 where the class applies.

    Raises:
        UserError: a label is not among the names.
    """
    # Models of former versions may have a class "1.0".
    position = {name_of(name) or name: i for i, name in enumerate(names)}
    targets = np.zeros((len(label_sets), len(names)), np.float32)
    unknown = {}
    for row, (number, labels) in enumerate(label_sets.items()):
        for label in labels:
            if label in position:
                targets[row, position[label]] = 1.0
            else:
                unknown.setdefault(label, []).append(number)
    if unknown:
        label, rows = min(unknown.items())
        raise UserError(
            f"{path}: {len(unknown)} unknown label(s), first {label!r} in row {listed(rows)}. "
            f"Known: {listed(names, 12)}. Check --label-column {columns.label}"
        )
    return targets
