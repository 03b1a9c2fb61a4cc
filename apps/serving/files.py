"""Answers for files of any size: streamed, batched by length, and written in order."""

import functools
import itertools
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from apps.config.recordings import is_recording
from apps.serving.answering import Answering, Direct
from apps.serving.answers import (
    AnswerBatch,
    answer,
    answer_all,
    batch_answerer,
    describe_problem,
    in_batches,
)
from data.errors import UserError, did_you_mean, list_values
from data.formats.readers import READERS, TEXT_FORMATS, file_format, read_records
from data.formats.record import TEXT_COLUMN, Record
from data.formats.suffixes import STANDARD_STREAM, SUBTITLE_SUFFIXES
from data.formats.writers import WRITERS, record_writer
from data.messages import warn
from data.transcription.options import RECORDINGS, Transcription

# Rows that are read at once; within them texts of like length are answered together.
WINDOW = 4096
# Fewer where they are long: this many characters, a cell as small as they come counting for some.
_WINDOW_CHARACTERS = 2**26
_CELL = 64
_BAD_ROWS_SHOWN = 20
# Inputs whose rows have a start and an end.
TIMED_SUFFIXES = (*SUBTITLE_SUFFIXES, *RECORDINGS)
# All inputs.
READABLE: dict[str, object] = {**READERS, **dict.fromkeys(RECORDINGS)}
# Rows of a recording that are read at once: each takes seconds.
_HEARD = 32

# Returns the output columns of the texts of each window, in order; it may read some windows ahead.
AnswerWindows = Callable[[Iterable[list[str]]], Iterator[list[dict]]]
# Opens an output, and yields what writes one row into it.
OpenOutput = Callable[[str], AbstractContextManager[Callable[[dict], object]]]


def check_files(
    source: str | None,
    output: str | None,
    formats: Mapping[str, object] = WRITERS,
    page: str | None = None,
) -> None:
    """Refuses files that cannot be read or written, before anything slow happens.

    Args:
        source: a file to read, `-`, or None.
        output: a file to write, `-`, or None.
        formats: suffixes that can be written; empty for any.
        page: a file to write of rows with a start and an end, or None.

    Raises:
        UserError: no such input, or a format that is unknown, or that the input has no times for.
    """
    if source and source != STANDARD_STREAM:
        file_format(source, READABLE)
        if not Path(source).is_file():
            raise UserError(f"no file {source!r}. Check --input")
    if output and output != STANDARD_STREAM:
        if formats:
            file_format(output, formats)
        if source and os.path.realpath(source) == os.path.realpath(output):
            raise UserError(f"{output} is the input. Choose another --output")
    timed = page or (output if is_subtitled(output, formats) else None)
    if timed and Path(source or STANDARD_STREAM).suffix.lower() not in TIMED_SUFFIXES:
        raise UserError(
            f"{timed} is for texts with a start and an end. Received: {source or 'texts'}. Pass a "
            f"transcript or a recording ({', '.join(TIMED_SUFFIXES)}), or write a table"
        )


def is_subtitled(output: str | None, formats: Mapping[str, object]) -> bool:
    """Returns whether answers are written as subtitles.

    Args:
        output: a file, `-`, or None.
        formats: suffixes that can be written; empty for any.
    """
    suffix = Path(output or STANDARD_STREAM).suffix.lower()
    return suffix in SUBTITLE_SUFFIXES and suffix in formats


@contextmanager
def beside(
    path: str, open_output: OpenOutput, page: AbstractContextManager[Callable[[dict], object]]
) -> Iterator[Callable[[dict], None]]:
    """Opens an output beside a page; what is yielded writes one row into both."""
    with open_output(path) as write, page as add:

        def write_both(row: dict) -> None:
            write(row)
            add(row)

        yield write_both


def column_of(source: str) -> str | None:
    """Returns the column with the texts where the format says which, or None."""
    if source == STANDARD_STREAM or Path(source).suffix.lower() in (*TEXT_FORMATS, *RECORDINGS):
        return TEXT_COLUMN
    return None


@dataclass(frozen=True)
class Prediction:
    """How a task answers rows, and writes them with its answers.

    Attributes:
        task: what answers.
        column: of the texts, in the input and in the output.
        open_output: opens an output, like `data.formats.writers.record_writer`; None for a table
            with the types of the input's columns.
        rows: of the input that are in memory at once.
        transcription: how recordings become texts; None for the usual way.
        answer_windows: answers the texts of a file; None to make it of the task for each file.
        read: reads the rows of a file that is no recording.
    """

    task: Answering | Direct
    column: str
    open_output: OpenOutput | None = None
    rows: int = WINDOW
    answer_windows: AnswerWindows | None = None
    transcription: Transcription | None = None
    read: Callable[[str], Iterator[Record]] = read_records

    def answer_texts(self, texts: list[str], output: str) -> int:
        """Writes texts and their answers into an output, a file or `-`; an empty text gets an empty
        answer, as in a file.

        Returns:
            How many texts have no answer.

        Raises:
            UserError: an answer has a column of the texts' name.
        """
        answers = answer_all(self.task, texts, functools.partial(answer, self.task))
        with (self.open_output or record_writer)(output) as write:
            for number, (text, (row, problem)) in enumerate(zip(texts, answers, strict=True), 1):
                if problem:
                    warn(f"text {number}: {problem}")
                write(_join({self.column: text}, row, "the output"))
        return sum(1 for _, problem in answers if problem)

    def answer_file(self, source: str, output: str) -> int:
        """Answers every row of a file.

        A row that cannot be read or has no text is reported by number and keeps its place, with an
        empty answer.

        Args:
            source: a file, or `-`.
            output: a file, or `-`; it appears when all is answered, or not at all.

        Returns:
            How many rows have no answer.

        Raises:
            UserError: the input lacks the column, or has one of the output's names.
        """
        bad = 0
        with self.opener(source)(output) as write:
            for row, problem in self.answer_rows(source):
                bad += bool(problem)
                write(row)
        return bad

    def opener(self, source: str) -> OpenOutput:
        """Returns what opens an output of the rows of a file."""
        return self.open_output or functools.partial(record_writer, like=source)

    def answer_rows(self, source: str, done: int = 0) -> Iterator[tuple[dict, str]]:
        """Answers the rows of a file, and reports those that have no answer.

        Args:
            source: a file, or `-`.
            done: rows at its head that are passed over.

        Yields:
            Each row with its answer, and what kept it from being answered, or the empty text.

        Raises:
            UserError: as `answer_file`.
        """
        records, most, bad = self.read, self.rows, 0
        if is_recording(source):
            # It imports what other inputs can do without.
            from data.transcription.reader import read_recording

            records = functools.partial(
                read_recording, transcription=self.transcription or Transcription()
            )
            most = min(most, _HEARD)
        every = records(source)
        first = next(_windows(every, most), [])
        if not first:
            return
        template = _first_columns(first, self.column, source)
        windows = _windows(itertools.islice(itertools.chain(first, every), done, None), most)
        answer_windows = self.answer_windows or window_answerer(batch_answerer(self.task))
        with _progress(source) as bar:
            bar.update(done)
            for window, problems, answers in self._answer(windows, answer_windows):
                for record, problem in zip(window, problems, strict=True):
                    if problem:
                        bad += 1
                        _report(bad, record.number, problem, bar)
                    # An unreadable row has no columns of its own, but stands between rows that do.
                    values = {**template, **record.values}
                    row = self.task.empty_row() if problem else next(answers)
                    yield _join(values, row, source), problem
                bar.update(len(window))
                if is_recording(source):
                    bar.set_postfix_str(f"at {window[-1].values['end']}", refresh=False)

    def _answer(
        self, windows: Iterator[list[Record]], answer_windows: AnswerWindows
    ) -> Iterator[tuple[list[Record], list[str], Iterator[dict]]]:
        """Yields each window, what keeps its rows from being answered, and the answers of the
        others."""
        waiting: deque[tuple[list[Record], list[str]]] = deque()

        def read_texts() -> Iterator[list[str]]:
            for window in windows:
                problems = [_problem(record, self.column) for record in window]
                waiting.append((window, problems))
                pairs = zip(window, problems, strict=True)
                yield [record.values[self.column] for record, problem in pairs if not problem]

        for answers in answer_windows(read_texts()):
            yield *waiting.popleft(), iter(answers)


def window_answerer(answer_batch: AnswerBatch) -> AnswerWindows:
    """Returns what answers one window after the other by what answers a batch."""
    return functools.partial(map, functools.partial(in_batches, answer_batch))


def _windows(records: Iterator[Record], rows: int) -> Iterator[list[Record]]:
    window, size = [], 0
    for record in records:
        window.append(record)
        cells = record.values.values()
        size += sum(_CELL + (len(cell) if isinstance(cell, str) else 0) for cell in cells)
        if len(window) == rows or size > _WINDOW_CHARACTERS:
            yield window
            window, size = [], 0
    if window:
        yield window


def _first_columns(window: list[Record], column: str, source: str) -> dict:
    """Empty cells for the columns of the first readable row.

    Raises:
        UserError: that row lacks the column with the texts, or no row can be read: then it is no
            file of its format, and each row's own problem would say nothing.
    """
    values = next((record.values for record in window if not record.problem), None)
    if values is None and is_recording(source):
        # Nothing was understood, which says nothing against the file.
        values = window[0].values
    if values is None:
        first = window[0]
        raise UserError(
            f"{source}: none of the first {len(window):,} row(s) can be read. Row {first.number}: "
            f"{first.problem}. Check the file and its format"
        )
    if column not in values:
        raise UserError(
            f"no column {column!r} in {source}. It has: {list_values(values, 12)}. "
            f"Choose with --text-column{did_you_mean(column, values)}"
        )
    return dict.fromkeys(values)


def _problem(record: Record, column: str) -> str:
    """Returns what keeps a row from being answered, or the empty text."""
    if record.problem:
        return record.problem
    if column not in record.values:
        return f"no {column!r}"
    problem = describe_problem(record.values[column])
    return f"{column!r} is {problem}" if problem.startswith("not") else problem


def _report(count: int, number: int, problem: str, bar: tqdm) -> None:
    # The bar, if there is one, makes way for a line.
    with bar.external_write_mode(file=sys.stderr):
        if count <= _BAD_ROWS_SHOWN:
            warn(f"row {number}: {problem}")
        elif count == _BAD_ROWS_SHOWN + 1:
            warn("further rows like these are counted only")


def _join(values: dict, columns: dict, source: str) -> dict:
    taken = values.keys() & columns.keys()
    if taken:
        raise UserError(f"{source} has a column {min(taken)!r} already. Rename or drop it")
    return {**values, **columns}


def _progress(source: str) -> tqdm:
    """Returns a bar on standard error, hidden where that is no terminal."""
    return tqdm(desc=source, unit=" rows", disable=None, file=sys.stderr)
