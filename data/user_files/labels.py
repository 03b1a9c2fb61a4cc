"""The class names and targets that the label cells of a table stand for."""

import math
import re
from collections.abc import Hashable

import numpy as np
import pandas as pd

from data.errors import UserError, list_values, refuse_rows
from data.user_files.columns import LabelledColumns

_TRUTH = {"0": False, "false": False, "1": True, "true": True}
# Missing values as other programs write them: the list of `pandas.read_csv`. Case counts: "None" is
# Python's, but "none" and "NONE" are classes of many corpora (no target, no stance), and "na" may
# well be one.
_MISSING = frozenset(
    ["", "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None"]
).union(["n/a", "nan", "null"])
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")


def is_multi_label(table: pd.DataFrame, columns: LabelledColumns) -> bool:
    """Whether a text may have any number of classes, by the columns or the cells of a table."""
    if len(columns.labels) > 1 or columns.label_separator:
        return True
    return bool(table[columns.label].map(lambda cell: isinstance(cell, list)).any())


def read_label_sets(
    table: pd.DataFrame, columns: LabelledColumns, path: str
) -> tuple[pd.Series, set[str]]:
    """Returns the set of class names of each row, and all names in the table.

    Raises:
        UserError: rows have no label, or a label that is not a name.
    """
    if len(columns.labels) > 1:
        return _read_label_columns(table, columns.labels, path)
    cells = table[columns.label]
    refuse_rows(path, table.index[cells.map(_is_nested)], f"whose {columns.label!r} is not a label")
    label_sets = cells.map(lambda cell: _label_set(cell, columns.label_separator))
    if not is_multi_label(table, columns):
        refuse_rows(path, table.index[label_sets.map(len) == 0], "without a label")
    return label_sets, set().union(*label_sets)


def _is_nested(cell: object) -> bool:
    """Returns whether a cell is an object, or a list of anything but names and numbers."""
    parts = cell if isinstance(cell, list) else [cell]
    return any(isinstance(part, dict | list) for part in parts)


def _label_set(cell: object, separator: str) -> set[str]:
    """Returns the names in one cell: a list of names, a text of several, or one name; without
    empty ones."""
    if not isinstance(cell, list):
        name = label_name(cell)
        cell = name.split(separator) if separator else [name]
    return {label_name(part) for part in cell} - {""}


def _read_label_columns(
    table: pd.DataFrame, names: list[str], path: str
) -> tuple[pd.Series, set[str]]:
    cells = table[names].map(lambda cell: _TRUTH.get(label_name(cell).lower()))
    odd = table.index[cells.isna().any(axis=1)]
    refuse_rows(path, odd, f"where {list_values(names)} are not all 0 or 1")
    rows = cells.to_numpy(bool)
    label_sets = [{name for name, holds in zip(names, row, strict=True) if holds} for row in rows]
    return pd.Series(label_sets, table.index), set(names)


def label_name(value: object) -> str:
    """Returns a label as text: 1, 1.0 and the texts "1" and "1.0" are one class in every format; a
    missing value is the empty text."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    name = str(value).strip()
    if name in _MISSING:
        return ""
    whole = _WHOLE.fullmatch(name)
    if whole:
        name = whole[1]
    return "0" if name == "-0" else name


def make_targets(
    label_sets: pd.Series, names: tuple[str, ...], path: str, columns: LabelledColumns
) -> np.ndarray:
    """Returns <float32>[rows, num_classes], 1 where the class applies.

    Args:
        label_sets: the class names of each row, by row number.
        names: of all classes.
        path, columns: the file and its columns, for messages.

    Raises:
        UserError: a label is not among the names.
    """
    # Models of former versions may have a class "1.0".
    position = {label_name(name) or name: i for i, name in enumerate(names)}
    targets = np.zeros((len(label_sets), len(names)), np.float32)
    unknown: dict[str, list[Hashable]] = {}
    for row, (number, labels) in enumerate(label_sets.items()):
        for label in labels:
            if label in position:
                targets[row, position[label]] = 1.0
            else:
                unknown.setdefault(label, []).append(number)
    if unknown:
        label, rows = min(unknown.items())
        raise UserError(
            f"{path}: {len(unknown)} unknown label(s), first {label!r} in row {list_values(rows)}. "
            f"Known: {list_values(names, 12)}. Check --label-column {columns.label}"
        )
    return targets
