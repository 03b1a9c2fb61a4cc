"""One row of a file, as every reader yields it."""

from typing import NamedTuple

# The column of formats that have no names for theirs.
TEXT_COLUMN = "text"


class Record(NamedTuple):
    """One row.

    Attributes:
        number: 1 for the first row after the header.
        values: cells by column name; as far as they could be read where `problem` is set.
        problem: what is wrong with the row, empty if nothing is.
    """

    number: int
    values: dict
    problem: str = ""
