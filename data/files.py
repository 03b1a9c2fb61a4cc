"""Files that appear whole or not at all, and their checksums."""

import errno
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from data.errors import UserError

PARTIAL = ".partial"
# What a user can mend; any other OSError is not about writing.
_UNWRITABLE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EFBIG,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EISDIR,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


def sha256(path: Path) -> str:
    """The file's sha256, hexadecimal, read in pieces."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(path: Path):
    """Turns a failure to write into the user's one line.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    try:
        yield
    except OSError as error:
        # What copies a folder gathers the source, target and reason of each failure.
        gathered = isinstance(error, shutil.Error) and isinstance(error.args[0], list)
        if error.errno not in _UNWRITABLE and not gathered:
            raise
        raise UserError(
            f"cannot write {path}: {error.args[0][0][2] if gathered else error.strerror}. "
            "Check the folder, its permissions and the free space"
        ) from error


@contextmanager
def whole_file(path: Path):
    """Yields a temporary path beside `path`; renamed to it on success, removed on failure.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    path = Path(os.path.realpath(path))
    partial = path.with_name(f".{path.name}{PARTIAL}-{os.getpid()}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path):
    """Like `whole_file` for a folder: a former one is replaced only when the new one is ready.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    path = Path(os.path.realpath(path))
    partial = path.with_name(f".{path.name}{PARTIAL}-{os.getpid()}")
    former = path.with_name(f".{path.name}.former-{os.getpid()}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        # A killed process may have left one: in a container all have the same number.
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir()
            yield partial
            take_place(partial, path, former)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def take_place(new: Path, path: Path, former: Path) -> None:
    """Renames `new` to `path`, and what is there, if anything, to `former`.

    Raises:
        OSError: it is not possible; everything is where it was.
    """
    if path.exists():
        os.replace(path, former)
    try:
        os.replace(new, path)
    except OSError:
        if former.exists():
            os.replace(former, path)
        raise
