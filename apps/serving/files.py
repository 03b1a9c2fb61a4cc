"""Answers for rows of any number: streamed, sorted by length inside, written in order."""

import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from data.errors import UserError, list_values
from data.formats.readers import READERS, STANDARD_STREAM, TEXT_FORMATS, file_format, read_records
from data.formats.record import TEXT_COLUMN, Record
from data.formats.writers import WRITERS, record_writer
from data.messages import printable

# Rows read at once; within them texts of like length are answered together.
_WINDOW = 4096
# Fewer where they are long: this many characters, a cell as small as they come counting for some.
_WINDOW_CHARACTERS = 2**26
_CELL = 64
# As many of them as this, or fewer long ones: memory does not grow with their length.
_BATCH = 256
_CHARACTERS = 2**18
_BAD_ROWS_SHOWN = 20


def check_files(source: str | None, output: str | None, formats=WRITERS) -> None:
    """Refuses files that cannot be read or written, before anything slow happens.

    Args:
        source: a file to read, `-`, or None.
        output: a file to write, `-`, or None.
        formats: suffixes that can be written; empty for any.

    Raises:
        UserError: no such input, or a format that is unknown.
    """
    if source and source != STANDARD_STREAM:
        file_format(source, READERS)
        if not Path(source).is_file():
            raise UserError(f"no file {source!r}. Check --input")
    if output and output != STANDARD_STREAM:
        if formats:
            file_format(output, formats)
        if source and os.path.realpath(source) == os.path.realpath(output):
            raise UserError(f"{output} is the input. Choose another --output")


def column_of(source: str) -> str | None:
    """The column with the texts where the format says which, or None."""
    if source == STANDARD_STREAM or Path(source).suffix.lower() in TEXT_FORMATS:
        return TEXT_COLUMN
    return None


def answer_all(
    task,
    texts: list[str],
    source: str | None,
    output: str | None,
    column: str,
    writer=None,
    rows: int = 0,
) -> None:
    """Answers texts, or the rows of `source`, into `output` or on standard output; `column` and
    what follows it are those of `answer_file`."""
    if source:
        bad = answer_file(task, source, output or STANDARD_STREAM, column, writer, rows)
        if bad:
            print(f"{bad} row(s) were left without an answer", file=sys.stderr)
    elif output:
        answer_to_file(task, texts, output, column, writer)
    else:
        for text, row in zip(texts, answer(task, texts), strict=True):
            print(task.format_answer(text, row))


def answer(task, texts: list[str]) -> list[dict]:
    """The output columns of each text, answered as one batch."""
    return task.output_rows(_serve(task)(_bytes(texts)))


def answer_to_file(task, texts: list[str], output: str, column: str, writer=None) -> None:
    """Writes texts and their answers; `writer` as in `answer_file`."""
    with (writer or record_writer)(output) as write:
        for text, row in zip(texts, answer(task, texts), strict=True):
            write(_joined({column: text}, row, "the output"))


def answer_file(task, source: str, output: str, column: str, writer=None, rows: int = 0) -> int:
    """Answers every row of a file.

    A row that cannot be read or has no text is reported by number and keeps its place, with an
    empty answer.

    Args:
        task: a trained task.
        source: a file, or `-`.
        output: a file, or `-`; it appears when all is answered, or not at all.
        column: the input's column with the texts.
        writer: what opens the output, like `data.formats.writers.record_writer`; None for a table.
        rows: of the input that are in memory at once; 0 for as many as suit a task that is fast.

    Returns:
        How many rows have no answer.

    Raises:
        UserError: the input lacks the column, or has one of the output's names.
    """
    serve, bad, template = _serve(task), 0, {}
    records = read_records(source)
    writer = writer or functools.partial(record_writer, like=source)
    with writer(output) as write, _progress(source) as bar:
        for window in _windows(records, rows or _WINDOW):
            template = template or _first_columns(window, column, source)
            problems = [_problem(record, column) for record in window]
            good = [i for i, problem in enumerate(problems) if not problem]
            answered = answers(task, serve, [window[i].values[column] for i in good])
            answer_of = dict(zip(good, answered, strict=True))
            for i, record in enumerate(window):
                if problems[i]:
                    bad += 1
                    _report(bad, record.number, problems[i], bar)
                # An unreadable row has no columns of its own, but stands between rows that have.
                values = {**template, **record.values}
                write(_joined(values, answer_of.get(i) or task.empty_row(), source))
            bar.update(len(window))
    return bad


def _serve(task):
    return task.serving().serve


def _bytes(texts: list[str]):
    """<string>[batch]; bytes that were not UTF-8 are given back as they were."""
    import tensorflow as tf

    return tf.constant([text.encode("utf-8", "surrogateescape") for text in texts], tf.string)


def answers(task, serve, texts: list[str]) -> list[dict]:
    """Answers in the order of the texts, computed in the order of their lengths."""
    answered = [None] * len(texts)
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    while order:
        size = _batch_size(len(texts[order[0]]))
        rows, order = order[:size], order[size:]
        columns = task.output_rows(serve(_bytes([texts[i] for i in rows])))
        for i, row in zip(rows, columns, strict=True):
            answered[i] = row
    return answered


def _batch_size(longest: int) -> int:
    """Powers of two: graphs that are compiled for each size then meet few of them."""
    return min(_BATCH, 1 << (max(1, _CHARACTERS // max(1, longest)).bit_length() - 1))


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
    if values is None:
        first = window[0]
        raise UserError(
            f"{source}: none of the first {len(window):,} row(s) can be read. Row {first.number}: "
            f"{first.problem}. Check the file and its format"
        )
    if column not in values:
        raise UserError(
            f"no column {column!r} in {source}. It has: {list_values(values, 12)}. "
            "Choose with --text-column"
        )
    return dict.fromkeys(values)


def _problem(record: Record, column: str) -> str:
    """What keeps a row from being answered, or the empty text."""
    if record.problem:
        return record.problem
    if column not in record.values:
        return f"no {column!r}"
    text = record.values[column]
    if not isinstance(text, str):
        return f"{column!r} is not text but {repr(text)[:60]}"
    return "" if text.strip() else "an empty text"


def _report(count: int, number: int, problem: str, bar: tqdm) -> None:
    if count <= _BAD_ROWS_SHOWN:
        bar.write(f"row {number}: {printable(problem)}", file=sys.stderr)
    elif count == _BAD_ROWS_SHOWN + 1:
        bar.write("further rows like these are counted only", file=sys.stderr)


def _joined(values: dict, columns: dict, source: str) -> dict:
    taken = values.keys() & columns.keys()
    if taken:
        raise UserError(f"{source} has a column {min(taken)!r} already. Rename or drop it")
    return {**values, **columns}


def _progress(source: str) -> tqdm:
    """A bar on standard error, hidden where that is no terminal."""
    return tqdm(desc=source, unit=" rows", disable=None, file=sys.stderr)
