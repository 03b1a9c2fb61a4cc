"""Data sets by name or path: named corpora, shipped samples, users' own files."""

import contextlib
import importlib
import io
from dataclasses import replace

import numpy as np

from data.columns import Columns
from data.errors import UserError
from data.examples import Corpus, LabelledTexts
from data.names import SAMPLES
from data.tabular import read_table

# The builders of labelled texts, by the name that --dataset takes: module and class.
BUILDERS = {"davidson": ("data.davidson", "Davidson")}


def read_labelled_texts(
    dataset: str,
    sample: str,
    data_dir: str | None = None,
    columns: Columns = Columns(),  # noqa: B008 (it is frozen)
    class_names: tuple[str, ...] = (),
) -> Corpus:
    """Reads a data set of labelled texts.

    Args:
        dataset: `sample`, a name in `BUILDERS`, or else the path of a user's file.
        sample: the application's file in `data/samples`.
        data_dir: the folder with the original files of named corpora, or None.
        columns: for users' files.
        class_names: the classes of a trained model, to evaluate it on other data.

    Raises:
        UserError: no such data set, or something in it cannot be used.
    """
    if dataset == "sample":
        corpus = read_table(str(SAMPLES / sample), class_names=class_names)
        return replace(corpus, name="sample")
    if dataset in BUILDERS:
        corpus = _read_builder(dataset, data_dir)
        if class_names and class_names != corpus.class_names:
            raise UserError(
                f"{dataset} has the classes {', '.join(corpus.class_names)}, the model has "
                f"{', '.join(class_names)}. Evaluate on data with the model's classes"
            )
        return corpus
    return read_table(dataset, columns, class_names)


def _read_builder(name: str, data_dir: str | None) -> Corpus:
    """Prepares a TensorFlow Datasets builder once, then reads its splits into memory."""
    import tensorflow_datasets as tfds

    module, builder_class = BUILDERS[name]
    builder = getattr(importlib.import_module(module), builder_class)()
    tfds.disable_progress_bar()
    # These corpora are not among those that TFDS' own storage has prepared.
    config = tfds.download.DownloadConfig(manual_dir=data_dir, try_download_gcs=False)
    with contextlib.redirect_stdout(io.StringIO()):  # its report of sizes that it does not know
        try:
            builder.download_and_prepare(download_config=config)
        except OSError as error:
            raise UserError(
                f"cannot prepare {name} in {builder.data_dir}: {error.strerror or error}. "
                "Set TFDS_DATA_DIR to a folder with space that can be written"
            ) from error
    class_names = tuple(builder.info.features["label"].names)
    splits = {}
    for split in ("train", "validation", "test"):
        columns = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
        votes = columns.get("votes")
        if votes is not None:
            votes = (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)
        splits[split] = LabelledTexts(
            [text.decode("utf-8") for text in columns["text"]],
            np.eye(len(class_names), dtype=np.float32)[columns["label"]],
            class_names,
            votes,
        )
    return Corpus(name, builder.SHA256, class_names, False, splits)
