"""Corpora that TensorFlow Datasets prepares once and keeps."""

import abc
import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from data.corpora.download import check_original, fetch_original, find_original
from data.errors import UserError
from data.examples.corpus import SPLITS
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.examples.splits import canonical_form, split_by_content


@contextlib.contextmanager
def explain_tfds_errors(name: str) -> Iterator[None]:
    """Turns whatever TensorFlow Datasets raises into a `UserError`.

    Args:
        name: of the builder that is made, prepared or read inside of the `with`.

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
    """Returns the reason of the system, if it gave one, or the first line of the error."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return (str(error).strip().splitlines() or [""])[0].rstrip(".") or type(error).__name__


class OriginalFileBuilder(tfds.core.GeneratorBasedBuilder):
    """A builder of labelled texts that are all in one original file.

    TFDS looks for `checksums.tsv`, the checksums of downloads, in the folder of the subclass.

    Attributes:
        FILE: the place of the original file below the user's data folder.
        URL, SHA256: where the file comes from, and its checksum, hexadecimal.
        HOMEPAGE: a page about the corpus.
        CLASS_NAMES: the names of the labels.
    """

    VERSION = tfds.core.Version("1.0.0")
    # TFDS opens the user's data folder only for builders that have instructions.
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Optional: the original file, below this folder"
    FILE: ClassVar[str]
    URL: ClassVar[str]
    SHA256: ClassVar[str]
    HOMEPAGE: ClassVar[str]
    CLASS_NAMES: ClassVar[tuple[str, ...]]
    # Makes of a text the form that it shares with those that must be in the same split.
    split_form = staticmethod(canonical_form)

    @staticmethod
    @abc.abstractmethod
    def read_examples(path: Path) -> dict[int, dict[str, Any]]:
        """Reads the original file.

        Args:
            path: the file.

        Returns:
            The `text`, `label` and `more_features` of each example, by a number of its own.
        """

    def more_features(self) -> dict[str, tfds.features.FeatureConnector]:
        """Returns the features that examples have in addition to `text` and `label`."""
        return {}

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=self.CLASS_NAMES),
            **self.more_features(),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("text", "label"),
            homepage=self.HOMEPAGE,
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        examples = list(self.read_examples(fetch_original(self, dl_manager)).items())
        texts = [example["text"] for _, example in examples]
        labels = [example["label"] for _, example in examples]
        splits = split_by_content(texts, labels, form=self.split_form)
        return {
            name: self._generate_examples([examples[row] for row in rows])
            for name, rows in splits.items()
        }

    def _generate_examples(
        self, examples: list[tuple[int, dict[str, Any]]]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        yield from examples


def read_corpus(builder_class: type[OriginalFileBuilder], data_dir: str | None) -> LabelledCorpus:
    """Reads a corpus from what was prepared of its original file, once.

    Args:
        builder_class: of the builder. Runs of former versions know the corpus by its `SHA256`.
        data_dir: the user's data folder, or None.

    Raises:
        UserError: it cannot be prepared, or what was prepared is damaged.
    """
    name, class_names = builder_class.name, builder_class.CLASS_NAMES
    with explain_tfds_errors(name):
        splits = read_prepared(builder_class(), class_names, data_dir)
    return LabelledCorpus.from_splits(name, splits, class_names, (builder_class.SHA256,))


def read_original(builder_class: type[OriginalFileBuilder], data_dir: str | None) -> LabelledCorpus:
    """Reads a corpus from its original file alone, without TensorFlow: the same examples in the
    same splits, in another order.

    Args:
        builder_class: of the builder.
        data_dir: the user's data folder, or None.

    Raises:
        UserError: there is no such file, or it is another one.
    """
    path = find_original(data_dir, builder_class.FILE)
    if path is None:
        raise UserError(
            f"no file {builder_class.FILE} in {data_dir or 'the data folder'}. Get it from "
            f"{builder_class.URL}, put it at <folder>/{builder_class.FILE} and pass --data-dir "
            "<folder>"
        )
    check_original(path, builder_class.SHA256, builder_class.URL)
    examples = list(builder_class.read_examples(path).values())
    texts, labels = ([example[name] for example in examples] for name in ("text", "label"))
    rows = split_by_content(texts, labels, form=builder_class.split_form)
    names = builder_class.CLASS_NAMES
    # TFDS takes names of classes for labels, too.
    places = [names.index(label) if isinstance(label, str) else label for label in labels]
    everything = LabelledTexts.from_labels(texts, places, names)
    splits = {name: everything.take(numbers) for name, numbers in rows.items()}
    return LabelledCorpus.from_splits(builder_class.name, splits, names)


def read_prepared(
    builder: tfds.core.DatasetBuilder,
    class_names: tuple[str, ...],
    data_dir: str | None = None,
    splits: tuple[str, ...] = SPLITS,
    text: str = "text",
) -> dict[str, LabelledTexts]:
    """Prepares a builder unless that was done before, and reads its splits into memory.

    Args:
        builder: of rows with a text, a `label` and maybe `votes`.
        class_names: the names of the labels.
        data_dir: the user's folder, for builders that read original files, or None.
        splits: the splits to read.
        text: the name of the feature with the texts.

    Raises:
        UserError: it cannot be prepared, or what was prepared is damaged.
    """
    # The storage of TFDS has few of these corpora prepared.
    config = tfds.download.DownloadConfig(manual_dir=data_dir, try_download_gcs=False)
    with explain_tfds_errors(builder.name):
        # TFDS prints sizes, even those that it does not know.
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(download_config=config)
        return {split: _read_split(builder, split, class_names, text) for split in splits}


def _read_split(
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
    return LabelledTexts.from_labels(texts, labels, class_names, votes)
