"""The folder of a run: everything that later commands need of a training."""

import csv
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.runs.checksums import check_description, with_checksums
from apps.runs.contents import (
    CONFIG,
    GRADIENT_NORMS,
    HISTORY,
    METRICS,
    MODEL,
    RUN,
    SEEDS,
    find_foreign,
)
from apps.runs.description import FORMAT, RunDescription, is_description
from data.errors import UserError
from data.files.json_files import LONGEST_JSON, cannot_read, parse_json
from data.files.writing import whole_file

# `config.json` has a few kilobytes, or a megabyte with very many classes.
_LONGEST_CONFIG = 16 * 2**20


class Damaged(UserError):
    """A file can be read, but holds something else than a training wrote."""


@dataclass(frozen=True)
class RunFolder:
    """A folder with `config.json`, `model.keras`, vocabularies, history, metrics and pictures.

    Attributes:
        path: of the folder.
        option: that names it on the command line, for messages.
    """

    path: Path
    option: str = field(default="--run", compare=False)

    def __post_init__(self) -> None:
        path = Path(self.path)
        # The system finds `x/../run` only where there is an `x`.
        path = Path(os.path.realpath(path)) if ".." in path.parts else path
        object.__setattr__(self, "path", path)

    def describe(self) -> RunDescription:
        """Returns what `config.json` says.

        Raises:
            UserError: the folder holds no run, or a damaged one, or one of another version.
        """
        try:
            # Check both before reading either.
            there = all(stat.S_ISREG(os.stat(self.path / name).st_mode) for name in (CONFIG, MODEL))
            content = (self.path / CONFIG).read_bytes() if there else None
        except (OSError, ValueError) as error:
            raise self.missing(error) from None
        if content is None:
            raise self.missing()
        return self.described(content)

    def missing(self, error: Exception | None = None) -> UserError:
        """Returns the error that there is no run, or that it cannot be read."""
        if error is None or isinstance(error, FileNotFoundError | NotADirectoryError):
            return UserError(
                f"no trained model in {self.path}. Train one first, or check {self.option}"
            )
        advice = f"Check {self.option} and the permissions of the folder"
        return cannot_read(self.path, error, advice)

    def described(self, content: bytes) -> RunDescription:
        """Returns what the content of a `config.json` says.

        Raises:
            UserError: it is damaged, or of another version or program.
        """
        config = self.path / CONFIG
        values = _object(config, content, _LONGEST_CONFIG)
        if values.get("format", FORMAT) != FORMAT:
            raise UserError(
                f"{config} has format {values['format']!r}, expected {FORMAT}. Train again"
            )
        try:
            description = RunDescription.from_json(values)
        except ValueError:
            raise _damaged(config) from None
        try:
            check_description(values)
        except ValueError as error:
            raise Damaged(
                f"{config} is damaged: {error}. Copy the run again, or train again"
            ) from None
        return description

    def is_there(self) -> bool:
        """Whether the folder holds a run, by the files that every run has."""
        return all((self.path / name).is_file() for name in (CONFIG, MODEL))

    def check_replaceable(self) -> None:
        """Refuses to train into a folder that holds something else than a run.

        Raises:
            UserError: it does, or it cannot be replaced.
        """
        self.check_run()
        # Only its real name says whether `.` is one.
        if Path(os.path.realpath(self.path)).is_mount():
            raise UserError(f"{self.path} is a mount point. Choose a folder below it with --run")
        others = find_foreign(self.path, RUN) if self.path.is_dir() else []
        if others:
            raise UserError(
                f"{self.path} holds other files than a run: {others[0]}. Choose another --run"
            )

    def check_run(self) -> None:
        """Refuses a folder that holds something, but no run; a run may hold other files, too.

        Raises:
            UserError: it does, or it is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file. Choose another --run")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        try:
            there = os.path.lexists(self.path / CONFIG)
            values = read_object(self.path / CONFIG) if there else {}
        except Damaged:
            values = {}
        if not is_description(values):
            damaged = [f"{CONFIG} is damaged or of another program"]
            others = find_foreign(self.path, RUN) or (
                damaged if there else find_foreign(self.path, {})
            )
            raise UserError(
                f"{self.path} holds other files than a run: {others[0]}. Choose another --run"
            )

    def members(self) -> dict[int, "RunFolder"]:
        """Returns the run of each seed, by seed; none for a run with one seed."""
        folders = (self.path / SEEDS).glob("*/")
        found = {int(each.name): RunFolder(each) for each in folders if each.name.isdecimal()}
        return dict(sorted(found.items()))

    def write_json(self, name: str, value: Any) -> None:
        """Writes a JSON file, whole or not at all."""
        with whole_file(self.path / name) as partial:
            text = json.dumps(value, indent=2, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")

    def write_description(self, description: RunDescription) -> None:
        """Writes `config.json` with the checksums of all files that answers depend on; these must
        be there already."""
        self.write_json(CONFIG, with_checksums(description.to_json(), self.path))

    def add_metrics(self, split: str, report: dict) -> None:
        """Writes the metrics of one split into `metrics.json`; those of other splits stay."""
        with self.locked():
            self.put_metrics(split, report)

    def put_metrics(self, split: str, report: dict) -> None:
        """Writes the metrics of one split for a caller that has locked the folder."""
        path = self.path / METRICS
        metrics = read_object(path) if path.exists() else {}
        self.write_json(METRICS, {**metrics, split: report})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the folder for this thread: nobody else changes metrics, or replaces the run.

        Raises:
            UserError: there is no such folder.
        """
        folder = self._lock()
        try:
            yield
        finally:
            os.close(folder)

    def _lock(self) -> int:
        while True:
            try:
                folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                raise self.missing(error) from None
            # Some network file systems cannot lock a folder.
            with suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX)
            # The former owner of the lock may have put another folder in its place.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.stat(self.path), os.fstat(folder)):
                    return folder
            os.close(folder)

    def read_metrics(self, split: str) -> dict[str, Any]:
        """Returns the metrics of a split in `metrics.json`.

        Raises:
            UserError: it is damaged, or has none of it.
        """
        found = read_object(self.path / METRICS).get(split)
        if not isinstance(found, dict):
            raise _damaged(self.path / METRICS)
        return found

    def history(self) -> list[dict[str, float]]:
        """Returns the rows of `history.csv`, one an epoch; none if no epoch was finished."""
        return self._numbers(HISTORY)

    def gradient_norms(self) -> list[dict[str, float]]:
        """Returns the rows of `gradient_norms.csv`, each of a few updates; none without a file."""
        return self._numbers(GRADIENT_NORMS)

    def _numbers(self, name: str) -> list[dict[str, float]]:
        path = self.path / name
        try:
            return [
                {name: float(value) for name, value in row.items() if value}
                for row in read_rows(path)
            ]
        except (ValueError, TypeError) as error:
            raise UserError(f"{path} is damaged: {error}. Train again") from None


def read_rows(path: Path) -> list[dict[str, str]]:
    """Returns the rows of a CSV file with a header; none if there is no such file.

    Raises:
        UserError: it cannot be read, or is no such file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, restval=None, strict=True)
            found = list(rows)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot_read(path, error, "Check the file and its permissions") from None
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path} is damaged: {error}. Train again") from None
    if any(None in row for row in found):
        raise UserError(f"{path} is damaged: a row has more columns than the first. Train again")
    return found


def write_rows(path: Path, rows: list[dict]) -> None:
    """Writes a CSV file with the columns of its first row, whole or not at all."""
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        if rows:
            writer.writeheader()
            writer.writerows(rows)


def read_object(path: Path) -> dict[str, Any]:
    """Returns the JSON object in a file.

    Raises:
        Damaged: there is something else in it.
        UserError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error, "Check the file and its permissions") from None
    return _object(path, content)


def _object(path: Path, content: bytes, longest: int = LONGEST_JSON) -> dict[str, Any]:
    try:
        value = parse_json(content, longest)
        # A character that UTF-8 cannot encode would fail wherever it is written again.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _damaged(path)
    return value


def _damaged(path: Path) -> Damaged:
    return Damaged(f"{path} is damaged or of another program. Train again")
