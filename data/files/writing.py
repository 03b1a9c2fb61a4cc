"""Files that appear whole or not at all, and their checksums."""

import errno
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data.errors import UserError
from data.files.partials import partial_file, partial_folder, remove_abandoned
from data.files.replacement import sync_names, sync_tree

# Failures that a user can fix; any other OSError is not about writing.
_UNWRITABLE = {
    errno.EACCES,
    errno.EBUSY,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EFBIG,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.ENOTEMPTY,
    errno.ENXIO,
    errno.EPERM,
    errno.EROFS,
}


def sha256(path: str | Path) -> str:
    """Returns the sha256 of a file, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Turns a failure to write into a `UserError`.

    Args:
        path: the file or folder that is written inside of the `with`.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    try:
        yield
    except OSError as error:
        # shutil.copytree gathers the source, target and reason of each failure.
        gathered = isinstance(error, shutil.Error) and isinstance(error.args[0], list)
        if error.errno not in _UNWRITABLE and not gathered:
            raise
        raise UserError(
            f"cannot write {path}: {error.args[0][0][2] if gathered else error.strerror}. "
            "Check the folder, its permissions and the free space"
        ) from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path next to `path`; renamed to it on success, removed on failure.

    The new file gets the permissions and, if possible, the owner of the file that it replaces. A
    link stays, and its target is replaced. A device, a pipe or the file that standard output goes
    to is never replaced: the temporary file lies elsewhere, and its content is copied into it.

    Raises:
        UserError: the file cannot be written, or the disk is full.
    """
    with explain_write_errors(path):
        former = _status(path)
        if former and stat.S_ISDIR(former.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        descriptor = former and _standard_stream(former)
        if descriptor:
            opened = _copy_into(descriptor)
        elif former and not stat.S_ISREG(former.st_mode):
            opened = _copy_into(path)
        else:
            opened = _rename_to(path, former)
        with opened as partial:
            yield partial


def _status(path: Path) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return os.stat(path)
    return None


@contextmanager
def _rename_to(path: Path, former: os.stat_result | None) -> Iterator[Path]:
    """Yields the path of a temporary file next to another one, and replaces that by it."""
    path = Path(os.path.realpath(path))
    if former and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent, re.escape(path.name))
    # A private file is private while it is written, too.
    with partial_file(path, 0o600 if former else 0o666) as (partial, descriptor):
        yield partial
        if former:
            _copy_access(former, descriptor)
        os.fsync(descriptor)
        os.replace(partial, path)
    sync_names(path.parent)


def _copy_access(former: os.stat_result, descriptor: int) -> None:
    """Gives a file the owner and permissions of the file that it replaces, as far as allowed."""
    for owner, group in ((-1, former.st_gid), (former.st_uid, -1)):
        with suppress(OSError):
            os.fchown(descriptor, owner, group)
    with suppress(OSError):
        os.fchmod(descriptor, former.st_mode & 0o777)


def _standard_stream(status: os.stat_result) -> int | None:
    """Returns the descriptor of the standard stream that goes into a file, under whatever name
    (`/dev/stdout`)."""
    for descriptor in (1, 2):
        with suppress(OSError):  # it is closed
            if os.path.samestat(os.fstat(descriptor), status):
                return descriptor
    return None


@contextmanager
def _copy_into(target: int | Path) -> Iterator[Path]:
    """Yields the path of a temporary file, and copies its content into an existing one."""
    with tempfile.NamedTemporaryFile() as spool:
        yield Path(spool.name)
        # Text that was printed before comes first.
        if sys.stdout:
            sys.stdout.flush()
        with open(target, "wb", closefd=not isinstance(target, int)) as file:
            shutil.copyfileobj(spool, file)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary folder next to `path`; renamed to it on success, removed on failure.

    Only an empty folder may be at `path`: nothing is replaced.

    Raises:
        UserError: `path` is not empty, the folder cannot be written, or the disk is full.
    """
    path = Path(os.path.realpath(path))
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and any(path.iterdir()):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        remove_abandoned(path.parent, re.escape(path.name))
        with partial_folder(path) as partial:
            yield partial
            sync_tree(partial)
            os.rename(partial, path)
        sync_names(path.parent)
