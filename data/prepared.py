"""Corpora that TensorFlow Datasets prepares once and keeps."""

import contextlib
import io

import numpy as np
import tensorflow_datasets as tfds

from data.errors import UserError
from data.examples import SPLITS, LabelledTexts


def read_prepared(
    builder: tfds.core.DatasetBuilder,
    class_names: tuple[str, ...],
    data_dir: str | None = None,
    splits: tuple[str, ...] = SPLITS,
    text: str = "text",
) -> dict[str, LabelledTexts]:
    """Prepares a builder where that was not done yet, and reads its splits into memory.

    Args:
        builder: its rows have a text, a `label` and maybe `votes`.
        class_names: the names of the labels.
        data_dir: the user's folder, for builders that read original files, or None.
        splits: the splits to read.
        text: the name of the rows' text.

    Raises:
        UserError: it cannot be prepared.
    """
    tfds.disable_progress_bar()
    # Most of these corpora are not among those that TFDS' own storage has prepared.
    config = tfds.download.DownloadConfig(manual_dir=data_dir, try_download_gcs=False)
    with contextlib.redirect_stdout(io.StringIO()):  # its report of sizes that it does not know
        try:
            builder.download_and_prepare(download_config=config)
        except OSError as error:
            raise UserError(
                f"cannot prepare {builder.name} in {builder.data_dir}: {error.strerror or error}. "
                "Set TFDS_DATA_DIR to a folder with space that can be written"
            ) from error
    return {split: _read(builder, split, class_names, text) for split in splits}


def _read(
    builder: tfds.core.DatasetBuilder, split: str, class_names: tuple[str, ...], text: str
) -> LabelledTexts:
    columns = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
    votes = columns.get("votes")
    if votes is not None:
        votes = (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)
    texts = [value.decode("utf-8") for value in columns[text]]
    return LabelledTexts.of(texts, columns["label"], class_names, votes)
