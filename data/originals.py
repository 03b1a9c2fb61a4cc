"""The original files of named corpora: in the user's data folder, or downloaded."""

import urllib.request
from pathlib import Path

import tensorflow_datasets as tfds

from data.errors import UserError
from data.files import sha256


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
    except (OSError, ValueError) as error:
        raise _not_downloaded(name, remedy, error) from error


def _not_downloaded(name: str, remedy: str, error: Exception) -> UserError:
    return UserError(
        f"cannot download {name} ({type(error).__name__}). "
        f"Put {remedy} and pass --data-dir <folder>"
    )


def original_file(
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
        found = sha256(path)
        if found != builder.SHA256:
            raise UserError(
                f"{path} is not the original file: its sha256 is {found}, "
                f"expected {builder.SHA256}. Get it from {builder.URL}"
            )
        return path
    remedy = f"the file of {builder.URL} at <folder>/{builder.FILE}"
    check_download(builder.name, builder.URL, remedy)
    try:
        return Path(dl_manager.download(builder.URL))
    except Exception as error:  # requests and TFDS each raise their own
        raise _not_downloaded(builder.name, remedy, error) from error
