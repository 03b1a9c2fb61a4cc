"""The answered rows of one large file as numbered files in a folder, written where a former command
was interrupted."""

import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apps.serving.files import WINDOW, Prediction
from data.errors import UserError
from data.files.json_files import read_json
from data.files.locks import lock_or_refuse
from data.files.writing import explain_write_errors, whole_file
from data.formats.suffixes import ROW_SUFFIXES, STANDARD_STREAM
from data.messages import say

# Windows begin where they would in one file: answers do not depend on an interruption.
ROWS = 4 * WINDOW
# What tells how far the folder is, and of what it holds the answers.
STATE = "parts.json"


def is_folder(output: str | None) -> bool:
    """Returns whether an output is a folder: it is there, or its name ends with a slash."""
    return output is not None and (output.endswith(os.sep) or os.path.isdir(output))


class Parts:
    """The folder, in which each file appears when it is whole.

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
            rows = prediction.answer_rows(self.source, done)
            for first in rows:
                part = itertools.chain([first], itertools.islice(rows, ROWS - 1))
                parts.append(self._write(prediction, len(parts) + 1, part))
                self._write_state(state)
            self._write_state({**state, "whole": True})
            return sum(part["bad"] for part in parts)

    def _write(
        self, prediction: Prediction, number: int, rows: Iterator[tuple[dict, str]]
    ) -> dict[str, int]:
        written = bad = 0
        with prediction.opener(self.source)(self.path(number)) as write:
            for row, problem in rows:
                write(row)
                written, bad = written + 1, bad + bool(problem)
        return {"rows": written, "bad": bad}

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
