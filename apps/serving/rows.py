"""The rows of a file as they are read: in windows, after those that are answered already."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from apps.config.recordings import is_recording
from data.errors import UserError, did_you_mean, list_values
from data.formats.readers import read_records
from data.formats.record import Record
from data.transcription.options import Transcription

# Rows that are read at once; within them texts of like length are answered together.
WINDOW = 4096
# Fewer where they are long: this many characters, a cell as small as they come counting for some.
_WINDOW_CHARACTERS = 2**26
_CELL = 64
# Rows of a recording that are read at once: each takes seconds.
_HEARD = 32


@dataclass(frozen=True)
class Rows:
    """Rows that are still to be answered.

    Attributes:
        template: empty cells for the columns of the first readable row of the file.
        records: the rows.
        most: rows that are in memory at once.
    """

    template: dict
    records: Iterable[Record]
    most: int = WINDOW

    def windows(self) -> Iterator[list[Record]]:
        """Yields the rows in lists: as many as are read at once, or fewer long ones."""
        window, size = [], 0
        for record in self.records:
            window.append(record)
            cells = record.values.values()
            size += sum(_CELL + (len(cell) if isinstance(cell, str) else 0) for cell in cells)
            if len(window) == self.most or size > _WINDOW_CHARACTERS:
                yield window
                window, size = [], 0
        if window:
            yield window


@dataclass(frozen=True)
class RowReader:
    """How the rows of a file are read.

    Attributes:
        column: of the texts.
        rows: in memory at once.
        transcription: how recordings become texts; None for the usual way.
        read: reads the rows of a file that is no recording.
    """

    column: str
    rows: int = WINDOW
    transcription: Transcription | None = None
    read: Callable[[str], Iterator[Record]] = read_records

    def open(self, source: str, done: int = 0) -> Rows:
        """Begins to read a file.

        Args:
            source: a file, or `-`.
            done: rows at its head that are passed over.

        Raises:
            UserError: the file lacks the column, or no row of its head can be read.
        """
        records, most = self.read, self.rows
        if is_recording(source):
            # It imports what other inputs can do without.
            from data.transcription.reader import read_recording

            records = functools.partial(
                read_recording, transcription=self.transcription or Transcription()
            )
            most = min(most, _HEARD)
        every = records(source)
        first = next(Rows({}, every, most).windows(), [])
        template = self._first_columns(first, source) if first else {}
        return Rows(template, itertools.islice(itertools.chain(first, every), done, None), most)

    def _first_columns(self, window: list[Record], source: str) -> dict:
        """Empty cells for the columns of the first readable row.

        Raises:
            UserError: that row lacks the column with the texts, or no row can be read: then it is
                no file of its format, and each row's own problem would say nothing.
        """
        values = next((record.values for record in window if not record.problem), None)
        if values is None and is_recording(source):
            # Nothing was understood, which says nothing against the file.
            values = window[0].values
        if values is None:
            first = window[0]
            raise UserError(
                f"{source}: none of the first {len(window):,} row(s) can be read. Row "
                f"{first.number}: {first.problem}. Check the file and its format"
            )
        if self.column not in values:
            raise UserError(
                f"no column {self.column!r} in {source}. It has: {list_values(values, 12)}. "
                f"Choose with --text-column{did_you_mean(self.column, values)}"
            )
        return dict.fromkeys(values)
