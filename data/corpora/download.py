"""Finds the original files of named corpora in the user's data folder, or downloads them."""

import http.client
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow_datasets as tfds

from data.errors import UserError
from data.files.writing import sha256, whole_file

_CACHE = Path("~/.cache/recurrent-text-suite")
# Errors that a connection may raise at any moment; a reset and a time-out are OSErrors.
_NETWORK = (OSError, ValueError, http.client.HTTPException)
# The time-out of a server that does not answer.
_SECONDS = 60
_LARGEST_DOWNLOAD = 2**30
_PIECE = 2**20


def find_original(data_dir: str | None, *patterns: str) -> Path | None:
    """Returns the first file or folder below the user's data folder that matches, or None.

    Args:
        data_dir: the data folder, or None.
        patterns: glob patterns, the preferred one first.
    """
    if data_dir is None:
        return None
    matches = (path for pattern in patterns for path in sorted(Path(data_dir).glob(pattern)))
    return next(matches, None)


def check_download(name: str, url: str, remedy: str) -> None:
    """Refuses a download that cannot work, because TFDS would retry for minutes.

    Args:
        name: the name of the corpus.
        url: the address of the file.
        remedy: what to put where below the data folder instead.

    Raises:
        UserError: the address cannot be reached.
    """
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10).close()
    except _NETWORK as error:
        raise _download_error(name, remedy, error) from error


def download_once(name: str, url: str, remedy: str, check: Callable[[Path], object]) -> Path:
    """Returns a file of the user's cache, which is downloaded if it is not there yet.

    Args:
        name: the name of the corpus.
        url: the address of the file.
        remedy: what to put where below the data folder instead.
        check: raises a `UserError` if the file is not the expected one.

    Raises:
        UserError: the file cannot be downloaded or written, or is not the expected one.
    """
    path = _CACHE.expanduser() / name / url.rpartition("/")[2]
    if not path.is_file():
        download(name, url, path, remedy, check)
    return path


def download(name: str, url: str, path: Path, remedy: str, check: Callable[[Path], object]) -> None:
    """Downloads a file, which appears whole or not at all.

    Args:
        name: the name of the corpus.
        url: the address of the file.
        path: the file to write.
        remedy: what to put where below the data folder instead.
        check: raises a `UserError` if the file is not the expected one.

    Raises:
        UserError: the file cannot be downloaded or written, or is not the expected one.
    """
    # manythings.org refuses requests that do not come from a browser.
    request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0"})
    with whole_file(path) as partial:
        with partial.open("wb") as file:
            pieces = _read_pieces(request)
            while piece := _read_piece(pieces, name, remedy):
                file.write(piece)
        try:
            check(partial)
        except UserError as error:
            raise UserError(
                f"cannot download {name}: {url} is not the file that was expected. "
                f"Put {remedy} and pass --data-dir <folder>"
            ) from error


def _read_piece(pieces: Iterator[bytes], name: str, remedy: str) -> bytes:
    """Reads a piece, so that errors of the network differ from those of writing."""
    try:
        return next(pieces, b"")
    except _NETWORK as error:
        raise _download_error(name, remedy, error) from error


def _read_pieces(request: urllib.request.Request) -> Iterator[bytes]:
    size = 0
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        expected = getattr(answer, "headers", {}).get("Content-Length")
        while piece := answer.read(_PIECE):
            size += len(piece)
            if size > _LARGEST_DOWNLOAD:
                raise ValueError("too large")
            yield piece
    # `read` raises nothing if the connection is closed too early.
    if expected is not None and size != int(expected):
        raise http.client.IncompleteRead(b"", int(expected) - size)


def _download_error(name: str, remedy: str, error: Exception) -> UserError:
    return UserError(
        f"cannot download {name} ({type(error).__name__}). "
        f"Put {remedy} and pass --data-dir <folder>"
    )


def check_original(path: Path, expected: str, url: str) -> None:
    """Refuses a file that is not the original one.

    Args:
        path: the file.
        expected: the sha256 of the original, hexadecimal.
        url: the address of the original.

    Raises:
        UserError: the file has another sha256.
    """
    actual = sha256(path)
    if actual != expected:
        raise UserError(
            f"{path} is not the original file: its sha256 is {actual}, expected {expected}. "
            f"Get it from {url}"
        )


def fetch_original(
    builder: tfds.core.DatasetBuilder, dl_manager: tfds.download.DownloadManager
) -> Path:
    """Finds the file that a builder reads, or downloads it.

    Args:
        builder: has `FILE`, the path below the data folder, `URL` and `SHA256`.
        dl_manager: has the user's data folder as its `manual_dir`, if there is one.

    Raises:
        UserError: the file in the data folder is another one, or the download failed.
    """
    try:
        path = Path(dl_manager.manual_dir) / builder.FILE
    except AssertionError:  # no such folder
        path = None
    if path is not None and path.is_file():
        check_original(path, builder.SHA256, builder.URL)
        return path
    remedy = f"the file of {builder.URL} at <folder>/{builder.FILE}"
    check_download(builder.name, builder.URL, remedy)
    try:
        return Path(dl_manager.download(builder.URL))
    except Exception as error:  # requests and TFDS raise errors of their own
        raise _download_error(builder.name, remedy, error) from error
