"""Bounded, streamed unpacking of gzip, xz, bzip2, zip and tar files."""

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from data.errors import UserError, list_values
from data.files.lines import LONGEST_LINE

# The longest member of an archive that is one text.
LONGEST_TEXT = LONGEST_LINE
# From this many bytes on, a file must not unpack to more than so many times its own size. Text
# shrinks to a fifth, very repetitive text to a hundredth, a bomb to a thousandth or less.
FREE_EXPANSION = 64 * 2**20
MOST_EXPANSION = 200
# Names and attributes of one tar member, which `tarfile` reads before it yields the member.
_LONGEST_TAR_HEADER = 16 * 2**10
_TAR_HEADERS = (
    tarfile.GNUTYPE_LONGLINK,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.XHDTYPE,
)

# All that the standard library raises on damaged, encrypted or foreign archives. It raises
# RuntimeError if a zip is encrypted or compressed in an unknown way, or a tar nested too deep.
UNPACKING_ERRORS = (
    OSError,
    EOFError,
    MemoryError,
    OverflowError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)

_OPENERS: dict[str, Callable[..., Any]] = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
# The first bytes of packed files, whatever their names are.
_BEGINNINGS = {b"\x1f\x8b\x08": ".gz", b"\xfd7zXZ\x00": ".xz"}
_PIECE = 2**20


@contextmanager
def explain_read_errors(path: str | Path, remedy: str = "Check the file") -> Iterator[None]:
    """Turns any error of reading or unpacking a file into a `UserError`.

    Args:
        path: the file.
        remedy: what to do about it.

    Raises:
        UserError: the file cannot be read or is damaged.
    """
    try:
        yield
    except UNPACKING_ERRORS as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UserError(f"cannot read {path}: {reason.splitlines()[0]}. {remedy}") from None


@contextmanager
def open_unpacked(
    path: str | Path,
    remedy: str = "Check the file",
    member: str | None = None,
    name: str | None = None,
) -> Iterator[io.BufferedReader]:
    """Opens a file for reading bytes, unpacked if it is packed; nothing is written to disk.

    Any error while the file is open becomes a `UserError`, so let only its reading stand inside
    of the `with`.

    Args:
        path: a plain file, or one packed with gzip, xz or bzip2, or a .zip.
        remedy: what to do if it cannot be read.
        member: the file to read from a zip; without it, the only one that it has.
        name: what messages call the file; None for its path.

    Raises:
        UserError: the file cannot be read, is damaged, or unpacks to too much.
    """
    with explain_read_errors(name or path, remedy), open(path, "rb") as packed:
        packing = ".zip" if member is not None else _packing(path, packed)
        if packing == ".zip":
            with zipfile.ZipFile(packed) as archive:
                inner = _only_file(archive, path) if member is None else member
                if inner not in archive.namelist():
                    raise UserError(f"cannot read {path}: it has no file {inner}. {remedy}")
                with archive.open(inner) as file:
                    yield _bounded(file, packed, path)
        elif packing in _OPENERS:
            with _OPENERS[packing](packed) as file:
                yield _bounded(file, packed, path)
        else:
            yield packed


def unpacked_name(path: str | Path) -> str:
    """Returns the name of the unpacked file: `a.tsv` for `a.tsv.gz`, and for a .zip the name of its
    only file.

    Args:
        path: the file, packed or plain.

    Raises:
        UserError: it is a .zip that cannot be read or has several files.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".zip":
        with explain_read_errors(path), zipfile.ZipFile(path) as archive:
            return Path(_only_file(archive, path)).name
    return Path(path).stem if suffix in _OPENERS else Path(path).name


def read_whole(file: BinaryIO, path: str | Path, remedy: str = "Check the file") -> bytes:
    """Reads a file that is one text.

    Args:
        file: the file, open.
        path: what error messages call it.
        remedy: what to do if it is too long.

    Raises:
        UserError: it is longer than `LONGEST_TEXT`.
    """
    content = file.read(LONGEST_TEXT + 1)
    if len(content) > LONGEST_TEXT:
        raise UserError(f"{path} is longer than {_size(LONGEST_TEXT)}. {remedy}")
    return content


def read_tar(
    path: str | Path, wanted: Callable[[str], bool], remedy: str = "Check the file"
) -> Iterator[tuple[str, bytes]]:
    """Streams the texts of a .tar, which may be packed; nothing is written to disk.

    Links, devices and folders are passed over.

    Args:
        path: the archive.
        wanted: says of a name whether to read that member.
        remedy: what to do if it cannot be read.

    Yields:
        The name and the content of each wanted member.

    Raises:
        UserError: it cannot be read or is damaged, unpacks to too much, or a member is too long.
    """
    with (
        open_unpacked(path, remedy) as file,
        # As a stream: an archive of many files is read once, from its beginning to its end.
        tarfile.open(fileobj=file, mode="r|", tarinfo=_TarMember) as members,
    ):
        for member in members:
            if not (member.isfile() and wanted(member.name)):
                continue
            # A sparse member may claim any number of zeros.
            if member.issparse():
                raise UserError(f"{path}: {member.name} is a sparse file. {remedy}")
            if member.size > LONGEST_TEXT:
                raise UserError(
                    f"{path}: {member.name} is longer than {_size(LONGEST_TEXT)}. {remedy}"
                )
            # Only for folders and the like it is None.
            if (content := members.extractfile(member)) is not None:
                yield member.name, content.read()


class _TarMember(tarfile.TarInfo):
    """A tar member that is refused if its name or attributes would fill the memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _TAR_HEADERS and self.size > _LONGEST_TAR_HEADER:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


def _packing(path: str | Path, file: io.BufferedReader) -> str:
    """Returns the suffix of the format that a file is packed in; that of its name if in none."""
    head = file.peek(8)
    for beginning, suffix in _BEGINNINGS.items():
        if head.startswith(beginning):
            return suffix
    return Path(path).suffix.lower()


def _only_file(archive: zipfile.ZipFile, path: str | Path) -> str:
    # macOS adds a folder of its own to each archive.
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX/")
    ]
    if len(names) != 1:
        raise UserError(
            f"{path} holds {len(names)} files{': ' * bool(names)}{list_values(names)}. Unpack it "
            "and pass one of its files"
        )
    return names[0]


def _bounded(file: IO[bytes], packed: IO[bytes], path: str | Path) -> io.BufferedReader:
    most = max(FREE_EXPANSION, MOST_EXPANSION * os.fstat(packed.fileno()).st_size)
    return io.BufferedReader(_Bounded(file, most, path), _PIECE)


def _size(count: int) -> str:
    return f"{count // 2**20:,} MiB" if count % 2**20 == 0 else f"{count:,} bytes"


class _Bounded(io.RawIOBase):
    """A file that refuses to yield more than a number of bytes."""

    def __init__(self, file: IO[bytes], most: int, path: str | Path):
        self.file, self.left, self.most, self.path = file, most, most, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.file.read(len(buffer))
        self.left -= len(piece)
        if self.left < 0:
            raise UserError(
                f"{self.path} unpacks to more than {_size(self.most)}, over "
                f"{MOST_EXPANSION} times its size. Unpack it and pass the unpacked file"
            )
        buffer[: len(piece)] = piece
        return len(piece)
