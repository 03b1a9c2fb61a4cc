"""Sentences of film reviews (Socher et al. 2013): the original files, or TFDS' copy of GLUE's."""

from pathlib import Path

import tensorflow_datasets as tfds

from data.corpora.download import check_download, find_original
from data.corpora.prepared import explain_tfds_errors, read_prepared
from data.errors import refuse_rows
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.files.archives import open_unpacked, read_whole

CLASS_NAMES = ("negative", "positive")
_FILES = {"train": "train.tsv", "validation": "dev.tsv", "test": "test.tsv"}
_REPOSITORY = "https://github.com/clairett/pytorch-sentiment-classification"
_GLUE = "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip"


def read(data_dir: str | None) -> LabelledCorpus:
    """Reads the official splits.

    From `sst2/{train,dev,test}.tsv` in the data folder come 6,920 / 872 / 1,821 sentences; without
    these files, from GLUE, 67,349 phrases of the training sentences and the same 872. GLUE has no
    test split: its labels were never published.

    Raises:
        UserError: files are missing or damaged, or there are none and no network.
    """
    folder = find_original(data_dir, "sst2")
    if folder is not None:
        name, splits = "sst2", {name: _read_file(folder / file) for name, file in _FILES.items()}
    else:
        name = "sst2 of GLUE"
        with explain_tfds_errors("glue/sst2"):
            builder = tfds.builder("glue/sst2")
            if not builder.is_prepared():
                check_download("sst2", _GLUE, f"the files of {_REPOSITORY} at <folder>/sst2/")
            splits = read_prepared(builder, CLASS_NAMES, None, ("train", "validation"), "sentence")
    return LabelledCorpus.from_splits(name, splits, CLASS_NAMES)


def _read_file(path: Path) -> LabelledTexts:
    """Reads rows of `sentence<TAB>0` or 1, no header; quotation marks have no meaning."""
    remedy = f"Get it from {_REPOSITORY}"
    with open_unpacked(path, remedy) as file:
        lines = read_whole(file, path, remedy).decode("utf-8").rstrip("\n").split("\n")
    rows = [line.rpartition("\t") for line in lines]
    wrong = [i for i, (_, _, label) in enumerate(rows, 1) if label not in ("0", "1")]
    refuse_rows(str(path), wrong, "that are not sentence<TAB>0 or 1")
    texts, labels = [text for text, _, _ in rows], [int(label) for _, _, label in rows]
    return LabelledTexts.from_labels(texts, labels, CLASS_NAMES)
