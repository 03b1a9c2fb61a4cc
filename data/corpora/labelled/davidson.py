"""Hate speech and offensive language on Twitter (Davidson et al. 2017), as a TFDS builder."""

from typing import ClassVar

import numpy as np
import pandas as pd
import tensorflow_datasets as tfds

from data.corpora.download import original_file
from data.corpora.prepared import prepared_corpus
from data.examples.corpus import Corpus
from data.examples.splits import split_by_content

_REPOSITORY = "t-davidson/hate-speech-and-offensive-language"
CLASS_NAMES = ("hate_speech", "offensive_language", "neither")


class Davidson(tfds.core.GeneratorBasedBuilder):
    """24,783 tweets labelled by at least three annotators each.

    Splits of 80/10/10 % are stratified by class and fixed by content (`data.examples.splits`).
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "Original CSV file, splits fixed by content."
    }
    # TFDS opens the user's folder only for builders that have these.
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Optional: labeled_data.csv as <folder>/davidson/labeled_data.csv"
    )
    # Below the user's data folder, and where it comes from (see data/corpora/download.py).
    FILE = "davidson/labeled_data.csv"
    URL = f"https://raw.githubusercontent.com/{_REPOSITORY}/master/data/labeled_data.csv"
    SHA256 = "fcb8bc7c68120ae4af04a5b9acd58585513ede11e1548ebf36a5c2040b6f6281"

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=CLASS_NAMES),
                    "votes": tfds.features.Tensor(shape=(len(CLASS_NAMES),), dtype=np.int32),
                }
            ),
            supervised_keys=("text", "label"),
            homepage=f"https://github.com/{_REPOSITORY}",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        path = original_file(self, dl_manager)
        rows = pd.read_csv(path, index_col=0)
        splits = split_by_content(rows["tweet"].tolist(), rows["class"].tolist())
        return {name: self._generate_examples(rows.iloc[index]) for name, index in splits.items()}

    def _generate_examples(self, rows: pd.DataFrame):
        votes = rows[list(CLASS_NAMES)].to_numpy(np.int32)
        for key, text, label, vote in zip(
            rows.index, rows["tweet"], rows["class"], votes, strict=True
        ):
            yield int(key), {"text": text, "label": int(label), "votes": vote}


def read(data_dir: str | None) -> Corpus:
    """The corpus, prepared once.

    Raises:
        UserError: it cannot be prepared, or what was prepared is damaged.
    """
    return prepared_corpus("davidson", Davidson, CLASS_NAMES, data_dir)
