"""The rows that readers of all formats yield, and writers of all formats take."""

from typing import Any, NamedTuple

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


class RichCell:
    """A cell of an answer that shows more on a terminal, or on a page, than a table holds."""

    def to_cell(self) -> Any:
        """Returns what a table holds of it: text, a number, or what JSON has a form for."""
        raise NotImplementedError

    def to_json(self) -> Any:
        """Returns all of it for a program, as what JSON has a form for."""
        return self.to_cell()


def flatten_row(row: dict) -> dict:
    """Returns a row with what a table holds of its cells."""
    return {
        name: cell.to_cell() if isinstance(cell, RichCell) else cell for name, cell in row.items()
    }
