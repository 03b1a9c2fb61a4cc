"""Answers for files of any size: streamed, batched by length, and written in order."""

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from apps.config.recordings import is_recording
from apps.serving.answering import Answering, Direct
from apps.serving.answers import (
    answer,
    answer_all,
    batch_answerer,
    describe_problem,
    window_answerer,
)
from apps.serving.row_report import RowReport
from apps.serving.rows import RowReader, Rows
from apps.serving.windows import AnswerWindows
from data.errors import UserError
from data.formats.readers import READERS, TEXT_FORMATS, file_format
from data.formats.record import TEXT_COLUMN, Record
from data.formats.suffixes import STANDARD_STREAM, SUBTITLE_SUFFIXES
from data.formats.writers import WRITERS, record_writer
from data.messages import warn
from data.transcription.options import RECORDINGS

# Inputs whose rows have a start and an end.
TIMED_SUFFIXES = (*SUBTITLE_SUFFIXES, *RECORDINGS)
# All inputs.
READABLE: dict[str, object] = {**READERS, **dict.fromkeys(RECORDINGS)}

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


class AnsweredRow(NamedTuple):
    """A row with its answer.

    Attributes:
        number: 1 for the first row after the header.
        cells: those of the input, and the answer's.
        problem: what kept it from being answered, or the empty text.
    """

    number: int
    cells: dict
    problem: str


@dataclass(frozen=True)
class Prediction:
    """How a task answers rows, and writes them with its answers.

    Attributes:
        task: what answers.
        reader: reads the rows; its column is that of the texts in the output, too.
        open_output: opens an output, like `data.formats.writers.record_writer`; None for a table
            with the types of the input's columns.
        answer_windows: answers the texts of a file; None to make it of the task for each file.
    """

    task: Answering | Direct
    reader: RowReader
    open_output: OpenOutput | None = None
    answer_windows: AnswerWindows | None = None

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
                write(_join({self.reader.column: text}, row, "the output"))
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
            for row in self.answer_rows(source):
                bad += bool(row.problem)
                write(row.cells)
        return bad

    def opener(self, source: str) -> OpenOutput:
        """Returns what opens an output of the rows of a file."""
        return self.open_output or functools.partial(record_writer, like=source)

    def answer_rows(self, source: str, done: int = 0) -> Iterator[AnsweredRow]:
        """Answers the rows of a file, and reports those that have no answer.

        Args:
            source: a file, or `-`.
            done: rows at its head that are passed over.

        Raises:
            UserError: as `answer_file`.
        """
        rows = self.reader.open(source, done)
        with RowReport(source, done) as report:
            for window in self.answer_windows_of(rows, source):
                for row in window:
                    if row.problem:
                        report.tell(row.number, row.problem)
                    yield row
                report.advance(len(window), window[-1].cells["end"] if is_recording(source) else "")

    def answer_windows_of(self, rows: Rows, source: str) -> Iterator[list[AnsweredRow]]:
        """Yields the rows of each window with their answers.

        Args:
            rows: to be answered.
            source: the file that has them.

        Raises:
            UserError: as `answer_file`.
        """
        column = self.reader.column
        waiting: deque[tuple[list[Record], list[str]]] = deque()

        def read_texts() -> Iterator[list[str]]:
            for window in rows.windows():
                problems = [_problem(record, column) for record in window]
                waiting.append((window, problems))
                pairs = zip(window, problems, strict=True)
                yield [record.values[column] for record, problem in pairs if not problem]

        answer_windows = self.answer_windows or window_answerer(batch_answerer(self.task))
        for texts in answer_windows(read_texts()):
            window, problems = waiting.popleft()
            answers, answered = iter(texts), []
            for record, problem in zip(window, problems, strict=True):
                # An unreadable row has no columns of its own, but stands between rows that do.
                values = {**rows.template, **record.values}
                answer = self.task.empty_row() if problem else next(answers)
                answered.append(AnsweredRow(record.number, _join(values, answer, source), problem))
            yield answered


def _problem(record: Record, column: str) -> str:
    """Returns what keeps a row from being answered, or the empty text."""
    if record.problem:
        return record.problem
    if column not in record.values:
        return f"no {column!r}"
    problem = describe_problem(record.values[column])
    return f"{column!r} is {problem}" if problem.startswith("not") else problem


def _join(values: dict, columns: dict, source: str) -> dict:
    taken = values.keys() & columns.keys()
    if taken:
        raise UserError(f"{source} has a column {min(taken)!r} already. Rename or drop it")
    return {**values, **columns}
