"""The files that the answers of a run depend on, read at one moment, so that all are of one
training."""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from apps.runs.checksums import is_answer_file, is_member
from apps.runs.contents import CONFIG, MODEL, SEEDS
from apps.runs.description import RunDescription
from apps.runs.folder import RunFolder
from apps.runs.unfinished import UnfinishedTraining
from data.errors import UserError
from data.files.json_files import cannot_read
from data.files.writing import explain_write_errors

# A training that ends replaces the run; it does not happen this often within a moment.
_TRIES = 10


@dataclass(frozen=True)
class RunFiles:
    """The files of a run that answers depend on, as they were at one moment.

    Attributes:
        run: the folder that they were read from.
        description: what `config.json` says.
        contents: the bytes of that file and of all others, by name.
    """

    run: RunFolder
    description: RunDescription
    contents: dict[str, bytes]

    @contextmanager
    def copied(self) -> Iterator[Path]:
        """Yields a folder with copies of the files, which nobody else changes. Errors name the run.

        Raises:
            UserError: there is no room for them.
        """
        with tempfile.TemporaryDirectory(prefix="run-") as name:
            folder = Path(name)
            with explain_write_errors(folder):
                for name, content in self.contents.items():
                    if not is_member(name):
                        (folder / name).write_bytes(content)
            try:
                yield folder
            except UserError as mistake:
                raise UserError(str(mistake).replace(str(folder), str(self.run.path))) from mistake

    @contextmanager
    def unreplaced(self) -> Iterator[None]:
        """Locks the run, so that what is written into it is of the model that was read.

        Raises:
            UserError: another training has put its run in the place of this one.
        """
        with self.run.locked():
            try:
                same = (self.run.path / CONFIG).read_bytes() == self.contents[CONFIG]
            except OSError:
                same = False
            if not same:
                raise self._replaced()
            yield

    def member(self, seed: int) -> "RunFiles":
        """Returns the files of one of several seeds of this run.

        Raises:
            UserError: they are missing or damaged, or those of another training.
        """
        member, name = self.run.members().get(seed), f"{SEEDS}/{seed}/{CONFIG}"
        if member is None:
            raise self._replaced()
        found = read_run(member)
        if self.contents.get(name, found.contents[CONFIG]) != found.contents[CONFIG]:
            raise self._replaced()
        return found

    def _replaced(self) -> UserError:
        return UserError(
            f"another training has replaced {self.run.path} meanwhile: the figures are of the run "
            "that was there, and nothing was written. Give the command again"
        )


def put_back(run: RunFolder) -> None:
    """Puts a run in its place again, if a process ended just as it was replaced."""
    if not os.path.lexists(run.path):
        # Whatever prevents it also prevents reading the run, which is reported then.
        with suppress(OSError):
            UnfinishedTraining(run.path).put_back()


def read_run(run: RunFolder) -> RunFiles:
    """Reads a run and compares it with the checksums in its `config.json`; older runs have none.

    Raises:
        UserError: there is no run, or it is damaged or cannot be read.
    """
    put_back(run)
    for _ in range(_TRIES):
        before = _mark(run)
        try:
            return _read_once(run)
        except UserError as error:
            mistake = error
        if _mark(run) == before:
            raise mistake
    raise mistake


def _mark(run: RunFolder) -> tuple | None:
    """Returns what tells a run from the one that takes its place; None where there is nothing."""
    try:
        found = [os.stat(path) for path in (run.path, run.path / CONFIG)]
    except OSError:
        return None
    return tuple((each.st_dev, each.st_ino, each.st_mtime_ns) for each in found)


def _read_once(run: RunFolder) -> RunFiles:
    """Reads all files from one folder, even if another one gets its name meanwhile."""
    try:
        folder = os.open(run.path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise run.missing(error) from None
    try:
        there = os.listdir(folder)
        if CONFIG not in there or MODEL not in there:
            raise run.missing()
        try:
            contents = {CONFIG: _read(run, folder, CONFIG)}
        except FileNotFoundError as error:  # just removed
            raise run.missing(error) from None
        description = run.described(contents[CONFIG])
        checksums = description.files
        for name in checksums or filter(is_answer_file, there):
            with suppress(FileNotFoundError):
                contents[name] = _read(run, folder, name)
    finally:
        os.close(folder)
    for name, checksum in (checksums or {}).items():
        if name not in contents:
            # Somebody may have removed a member: the others are there as before.
            if is_member(name):
                continue
            raise UserError(
                f"{run.path / name} is missing. Copy the whole run again, or train again"
            )
        if hashlib.sha256(contents[name]).hexdigest() != checksum:
            raise UserError(
                f"{run.path / name} is damaged: its checksum is not the one in {CONFIG}. Copy the "
                "run again, or train again"
            )
    return RunFiles(run, description, contents)


def _read(run: RunFolder, folder: int, name: str) -> bytes:
    """Returns the content of a file in an open folder.

    Raises:
        FileNotFoundError: there is none.
        UserError: it cannot be read.
    """

    def opener(name: str, flags: int) -> int:
        # Opening a pipe would wait for a process that writes into it.
        return os.open(name, flags | os.O_NONBLOCK, dir_fd=folder)

    try:
        with open(name, "rb", opener=opener) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is no file")
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise cannot_read(run.path / name, error, "Check the file and its permissions") from None
