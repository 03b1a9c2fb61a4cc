"""Corpora that TensorFlow Datasets prepares once and keeps."""

import contextlib
import io
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from data.errors import UserError
from data.examples.corpus import SPLITS, Corpus, LabelledTexts, checksum_of


@contextlib.contextmanager
def tfds_corpus(name: str):
    """Turns whatever TensorFlow Datasets raises into the user's one line.

    Args:
        name: of the builder that is made, prepared or read.

    Raises:
        UserError: its files cannot be written or read, or are damaged.
    """
    tfds.disable_progress_bar()
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # TFDS, TensorFlow, protobuf and the system each raise their own
        folder = Path(tfds.core.constants.DATA_DIR) / name
        raise UserError(
            f"cannot prepare {name} in {folder}: {_reason(error)}. Set TFDS_DATA_DIR to a folder "
            "with space that can be written, or remove this one if it is damaged"
        ) from error


def _reason(error: BaseException) -> str:
    """What the system said, if it said something, else the first line of the error."""
    cause, seen = error, set()
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return (str(error).strip().splitlines() or [""])[0].rstrip(".") or type(error).__name__


def prepared_corpus(
    name: str,
    builder_class: type[tfds.core.DatasetBuilder],
    class_names: tuple[str, ...],
    data_dir: str | None,
) -> Corpus:
    """Returns a corpus that is prepared from one original file.

    Args:
        name: of the corpus and its builder.
        builder_class: of the builder; its `SHA256` is the file's, by which runs of former versions
            know the corpus.
        class_names, data_dir: as `read_prepared`.

    Raises:
        UserError: it cannot be prepared, or what was prepared is damaged.
    """
    with tfds_corpus(name):
        splits = read_prepared(builder_class(), class_names, data_dir)
    former = (builder_class.SHA256,)
    return Corpus(name, checksum_of(splits), class_names, False, splits, former)


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
    # Most of these corpora are not among those that TFDS' own storage has prepared.
    config = tfds.download.DownloadConfig(manual_dir=data_dir, try_download_gcs=False)
    with tfds_corpus(builder.name):
        with contextlib.redirect_stdout(io.StringIO()):  # its report of sizes that it does not know
            builder.download_and_prepare(download_config=config)
        return {split: _read(builder, split, class_names, text) for split in splits}


def _read(
    builder: tfds.core.DatasetBuilder, split: str, class_names: tuple[str, ...], text: str
) -> LabelledTexts:
    columns = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
    labels = columns["label"]
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(class_names):
        raise ValueError(f"labels from {labels.min()} to {labels.max()}")
    votes = columns.get("votes")
    if votes is not None:
        votes = (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)
    texts = [value.decode("utf-8") for value in columns[text]]
    return LabelledTexts.of(texts, labels, class_names, votes)
