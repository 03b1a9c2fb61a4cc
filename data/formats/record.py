"""The row that readers of all formats yield."""

from typing import NamedTuple

# The column with the texts in formats without column names.
TEXT_COLUMN = "text"


class Record(NamedTuple):
    """One row of a file.

    Attributes:
        number: 1 for the first row after the header.
        values: cells by column name; if the row has a problem, those that could be read.
        problem: what is wrong with the row, empty if nothing is.
    """

    number: int
    values: dict
    problem: str = ""
