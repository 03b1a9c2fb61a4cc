"""The original files of named corpora: in the user's data folder, or downloaded."""

import http.client
import urllib.request
from collections.abc import Callable
from pathlib import Path

import tensorflow_datasets as tfds

from data.errors import UserError
from data.files.writing import sha256, whole_file

# What a connection may raise at any moment; a reset and a time-out are OSErrors.
_NETWORK = (OSError, ValueError, http.client.HTTPException)
# A server that says nothing for so long is given up.
_SECONDS = 60
_LARGEST_DOWNLOAD = 2**30
_PIECE = 2**20


def find_original(data_dir: str | None, *patterns: str) -> Path | None:
    """The first file or folder below the user's data folder that matches, or None."""
    if data_dir is None:
        return None
    found = (path for pattern in patterns for path in sorted(Path(data_dir).glob(pattern)))
    return next(found, None)


def check_download(name: str, url: str, remedy: str) -> None:
    """Refuses a download that cannot work: without a network TFDS tries again for minutes.

    Args:
        name: of the corpus.
        url: what would be downloaded.
        remedy: what to put where below the data folder instead.

    Raises:
        UserError: it cannot be reached.
    """
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10).close()
    except _NETWORK as error:
        raise _not_downloaded(name, remedy, error) from error


def download(name: str, url: str, path: Path, remedy: str, check: Callable[[Path], None]) -> None:
    """Downloads a file, which appears whole or not at all.

    Args:
        name: of the corpus.
        url: what is downloaded.
        path: where to.
        remedy: what to put where below the data folder instead.
        check: raises if it is not the file that was wanted.

    Raises:
        UserError: it cannot be downloaded or written, or is not what was wanted.
    """
    # manythings.org refuses what does not say that it is a browser.
    request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0"})
    with whole_file(path) as partial:
        with partial.open("wb") as file:
            pieces = _download(request)
            while piece := _next_piece(pieces, name, remedy):
                file.write(piece)
        try:
            check(partial)
        except UserError as error:
            raise UserError(
                f"cannot download {name}: {url} is not the file that was expected. "
                f"Put {remedy} and pass --data-dir <folder>"
            ) from error


def _next_piece(pieces, name: str, remedy: str) -> bytes:
    """Keeps what the network raises apart from what writing a file does."""
    try:
        return next(pieces, b"")
    except _NETWORK as error:
        raise _not_downloaded(name, remedy, error) from error


def _download(request: urllib.request.Request):
    size = 0
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        wanted = getattr(answer, "headers", {}).get("Content-Length")
        while piece := answer.read(_PIECE):
            size += len(piece)
            if size > _LARGEST_DOWNLOAD:
                raise ValueError("too large")
            yield piece
    # A connection that is closed too early is no error to `read`.
    if wanted is not None and size != int(wanted):
        raise http.client.IncompleteRead(b"", int(wanted) - size)


def _not_downloaded(name: str, remedy: str, error: Exception) -> UserError:
    return UserError(
        f"cannot download {name} ({type(error).__name__}). "
        f"Put {remedy} and pass --data-dir <folder>"
    )


def check_original(path: Path, expected: str, url: str) -> None:
    """Refuses a file that is not the original one.

    Args:
        path: the file.
        expected: the sha256 of the original, hexadecimal.
        url: where to get that.

    Raises:
        UserError: its sha256 is another.
    """
    found = sha256(path)
    if found != expected:
        raise UserError(
            f"{path} is not the original file: its sha256 is {found}, expected {expected}. "
            f"Get it from {url}"
        )


def fetch_original(
    builder: tfds.core.DatasetBuilder, dl_manager: tfds.download.DownloadManager
) -> Path:
    """Finds the file that a builder reads.

    Args:
        builder: has `FILE`, the path below the data folder, `URL` and `SHA256`.
        dl_manager: its `manual_dir` is the user's data folder, where there is one.

    Raises:
        UserError: the file in the data folder is another one; or there is none and the download
            failed.
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
    except Exception as error:  # requests and TFDS each raise their own
        raise _not_downloaded(builder.name, remedy, error) from error
