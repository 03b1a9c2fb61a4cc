"""What a person sees while the rows of a file are answered: how far it is, and rows without an
answer."""

import sys
from typing import Self

from tqdm import tqdm

from data.messages import warn

_BAD_ROWS_SHOWN = 20


class RowReport:
    """A bar on standard error, hidden where that is no terminal, and a line for each of the first
    rows that have no answer:

    with RowReport(source, done) as report:
        report.tell(3, "an empty text")
        report.advance(4096)

    Args:
        source: the file.
        done: rows that were answered before.
    """

    def __init__(self, source: str, done: int = 0) -> None:
        self._bar = tqdm(desc=source, unit=" rows", disable=None, file=sys.stderr, initial=done)
        self._bad = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def tell(self, number: int, problem: str) -> None:
        """Reports a row without an answer.

        Args:
            number: of the row, from 1.
            problem: what keeps it from being answered.
        """
        self._bad += 1
        # The bar, if there is one, makes way for a line.
        with self._bar.external_write_mode(file=sys.stderr):
            if self._bad <= _BAD_ROWS_SHOWN:
                warn(f"row {number}: {problem}")
            elif self._bad == _BAD_ROWS_SHOWN + 1:
                warn("further rows like these are counted only")

    def advance(self, rows: int, at: str = "") -> None:
        """Shows that rows are answered.

        Args:
            rows: how many more.
            at: the time in a recording that is reached, or the empty text.
        """
        self._bar.update(rows)
        if at:
            self._bar.set_postfix_str(f"at {at}", refresh=False)
