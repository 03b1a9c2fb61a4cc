"""The answered rows of one large file as numbered files in a folder, written where a former command
was interrupted."""

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from apps.serving.files import AnsweredRow, Prediction
from apps.serving.row_report import RowReport
from apps.serving.rows import WINDOW, RowReader, Rows
from data.errors import UserError
from data.files.json_files import read_json
from data.files.locks import lock_or_refuse
from data.files.writing import explain_write_errors, whole_file
from data.formats.record import Record
from data.formats.suffixes import ROW_SUFFIXES, STANDARD_STREAM
from data.formats.writers import record_writer
from data.messages import say

# Windows begin where they would in one file: answers do not depend on an interruption.
ROWS = 4 * WINDOW
# What tells how far the folder is, and of what it holds the answers.
STATE = "parts.json"


def is_folder(output: str | None) -> bool:
    """Returns whether an output is a folder: it is there, or its name ends with a slash."""
    return output is not None and (output.endswith(os.sep) or os.path.isdir(output))


class Part(NamedTuple):
    """Rows that make one file.

    Attributes:
        number: of the file, from 1.
        template: empty cells for the columns of the first readable row of the input.
        records: the rows.
    """

    number: int
    template: dict
    records: list[Record]


class Written(NamedTuple):
    """What is known of a file that was written.

    Attributes:
        rows: how many it has.
        problems: the numbers in the input of the rows without an answer, and the reasons.
    """

    rows: int
    problems: list[tuple[int, str]]


# Writes the parts from a number on, whose rows come after those that are done; yields what is known
# of each, in order.
_WriteParts = Callable[[int, int], Iterator[Written]]


class Parts:
    """The folder, in which each file appears when it is whole. Beside one with rows that have no
    answer is a table of these.

    Args:
        folder: the folder.
        source: the file whose rows are answered.
        answers_by: what the answers depend on besides the file, as JSON values.

    Raises:
        UserError: the rows come from a stream, which cannot be read again.
    """

    def __init__(self, folder: str, source: str, answers_by: dict[str, Any]) -> None:
        if source == STANDARD_STREAM:
            raise UserError(f"{folder} is a folder, which takes a file. Pass --input FILE")
        self.folder, self.source = Path(folder), source
        suffix = Path(source).suffix.lower()
        self._suffix = suffix if suffix in ROW_SUFFIXES else ".jsonl"
        self._answers_by = answers_by

    def path(self, number: int) -> str:
        """Returns the path of the part with a number, from 1."""
        return str(self.folder / f"part-{number:05d}{self._suffix}")

    def answer(self, prediction: Prediction) -> int:
        """Answers the rows that no part holds yet.

        Args:
            prediction: how rows are answered.

        Returns:
            How many rows of all parts have no answer.

        Raises:
            UserError: the folder holds something else, or as `Prediction.answer_file`.
        """
        return self._go_on(partial(self._answer_here, prediction))

    def answer_elsewhere(
        self, reader: RowReader, write: Callable[[Iterable[Part]], Iterator[Written]]
    ) -> int:
        """Reads the rows that no part holds yet, and hands them on.

        Args:
            reader: of the rows.
            write: calls `write_part` for each part, wherever that is, and yields what it returns in
                the order of the parts.

        Returns:
            How many rows of all parts have no answer.

        Raises:
            UserError: as `answer`.
        """

        def write_parts(number: int, done: int) -> Iterator[Written]:
            with RowReport(self.source, done) as report:
                for written in write(self._read(reader, number, done)):
                    for each in written.problems:
                        report.tell(*each)
                    report.advance(written.rows)
                    yield written

        return self._go_on(write_parts)

    def write_part(self, prediction: Prediction, part: Part) -> Written:
        """Answers the rows of a part and writes the file.

        Args:
            prediction: how rows are answered.
            part: the rows.

        Raises:
            UserError: as `Prediction.answer_file`.
        """
        rows = Rows(part.template, part.records, prediction.reader.rows)
        windows = prediction.answer_windows_of(rows, self.source)
        return self._write(prediction, part.number, itertools.chain.from_iterable(windows))

    def _go_on(self, write_parts: _WriteParts) -> int:
        with self._locked():
            state = self._begin()
            parts: list[dict[str, int]] = state["parts"]
            done = sum(part["rows"] for part in parts)
            if state["whole"]:
                say(f"all {done:,} rows of {self.source} are answered in {self.folder}")
                return sum(part["bad"] for part in parts)
            if done:
                say(
                    f"{len(parts)} part(s) of {self.folder} are there: going on at row {done + 1:,}"
                )
            for written in write_parts(len(parts) + 1, done):
                parts.append({"rows": written.rows, "bad": len(written.problems)})
                self._write_state(state)
            self._write_state({**state, "whole": True})
            return sum(part["bad"] for part in parts)

    def _answer_here(self, prediction: Prediction, number: int, done: int) -> Iterator[Written]:
        rows = prediction.answer_rows(self.source, done)
        for first in rows:
            part = itertools.chain([first], itertools.islice(rows, ROWS - 1))
            yield self._write(prediction, number, part)
            number += 1

    def _read(self, reader: RowReader, number: int, done: int) -> Iterator[Part]:
        rows = reader.open(self.source, done)
        records = iter(rows.records)
        while part := list(itertools.islice(records, ROWS)):
            yield Part(number, rows.template, part)
            number += 1

    def _write(self, prediction: Prediction, number: int, rows: Iterable[AnsweredRow]) -> Written:
        written, problems = 0, []
        with prediction.opener(self.source)(self.path(number)) as write:
            for row in rows:
                write(row.cells)
                written += 1
                if row.problem:
                    problems.append((row.number, row.problem))
        if problems:
            with record_writer(str(self.folder / f"problems-{number:05d}.csv")) as write:
                for row_number, problem in problems:
                    write({"row": row_number, "problem": problem})
        return Written(written, problems)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with explain_write_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            lock_or_refuse(
                folder,
                f"another process writes into {self.folder}. Wait for it, or choose another "
                "--output",
            )
            yield
        finally:
            os.close(folder)

    def _begin(self) -> dict[str, Any]:
        status = os.stat(self.source)
        begun = {
            "input": os.path.basename(self.source),
            "bytes": status.st_size,
            "changed": status.st_mtime_ns,
            # As it comes back from the file.
            "answers_by": json.loads(json.dumps(self._answers_by)),
        }
        path = self.folder / STATE
        if not path.exists():
            if others := sorted(each.name for each in self.folder.iterdir()):
                raise UserError(
                    f"{self.folder} holds other files than parts: {others[0]}. Choose another "
                    "--output"
                )
            state = {**begun, "parts": [], "whole": False}
            self._write_state(state)
            return state
        state = read_json(path, "Check --output", "Choose another --output")
        if not isinstance(state, dict) or not {"parts", "whole", *begun} <= state.keys():
            raise UserError(f"{path} is damaged. Choose another --output")
        for name, value in begun.items():
            if state[name] != value:
                what = "model or options" if name == "answers_by" else "input"
                raise UserError(
                    f"{self.folder} holds answers of another {what}. Choose another --output, or "
                    "remove the folder"
                )
        return state

    def _write_state(self, state: dict[str, Any]) -> None:
        with whole_file(self.folder / STATE) as partial:
            partial.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
