"""The original file of a named corpus: in the user's data folder, or downloaded."""

import urllib.request
from pathlib import Path

import tensorflow_datasets as tfds

from data.errors import UserError
from data.files import sha256


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
    try:
        # Ask first: without a network TFDS tries again for minutes before it gives up.
        urllib.request.urlopen(
            urllib.request.Request(builder.URL, method="HEAD"), timeout=10
        ).close()
        return Path(dl_manager.download(builder.URL))
    except Exception as error:  # requests, urllib and TFDS each raise their own
        raise UserError(
            f"cannot download {builder.name} ({type(error).__name__}). Put the file of "
            f"{builder.URL} at <folder>/{builder.FILE} and pass --data-dir <folder>"
        ) from error
