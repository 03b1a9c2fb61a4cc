"""Labels that are likely to be the same class: they differ by case, spaces or signs alone."""

import re
from collections import defaultdict
from collections.abc import Iterable

from apps.inspection.file import TableFile
from apps.pages.parts import Bars, Paragraph, Part, Section
from data.errors import list_values

# Of a column that holds no labels the values are no use.
_MOST_LABELS = 100


def find_alike_names(names: Iterable[str]) -> list[list[str]]:
    """Returns groups of names that differ by case, white space and signs alone."""
    groups = defaultdict(list)
    for name in names:
        groups[re.sub(r"[\W_]+", "", name.casefold()) or name].append(name)
    return [group for group in groups.values() if len(group) > 1]


def warn_of_alike_names(groups: list[list[str]]) -> list[Paragraph]:
    """Returns a warning for each group of `find_alike_names`."""
    return [
        Paragraph(
            f"{list_values(map(repr, group))} differ by case, spaces or signs alone: one class "
            "under several names?",
            "warning",
        )
        for group in groups
    ]


def describe_labels(table: TableFile, column: str) -> list[Section]:
    """Returns the section on the cells of a column of labels, of a table that `train` refuses; none
    where there is no such column.

    Args:
        table: the file.
        column: of the labels.
    """
    found = table.columns.get(column)
    if found is None or len(found.values) > _MOST_LABELS:
        return []
    alike = find_alike_names(found.values)
    parts: list[Part] = [Bars(column, found.values.most_common()), *warn_of_alike_names(alike)]
    facts = {"labels": dict(found.values), "alike": alike}
    return [Section("labels", "Labels", parts, facts)]
