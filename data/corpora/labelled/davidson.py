"""Hate speech and offensive language on Twitter (Davidson et al. 2017)."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import tensorflow_datasets as tfds

from data.corpora import prepared
from data.corpora.prepared import OriginalFileBuilder, read_corpus
from data.examples.labelled import LabelledCorpus

_REPOSITORY = "t-davidson/hate-speech-and-offensive-language"
CLASS_NAMES = ("hate_speech", "offensive_language", "neither")


class Davidson(OriginalFileBuilder):
    """24,783 tweets labelled by at least three annotators each.

    Splits of 80/10/10 % are stratified by class and fixed by content (`data.examples.splits`).
    """

    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "Original CSV file, splits fixed by content."
    }
    FILE = "davidson/labeled_data.csv"
    URL = f"https://raw.githubusercontent.com/{_REPOSITORY}/master/data/labeled_data.csv"
    SHA256 = "fcb8bc7c68120ae4af04a5b9acd58585513ede11e1548ebf36a5c2040b6f6281"
    HOMEPAGE = f"https://github.com/{_REPOSITORY}"
    CLASS_NAMES = CLASS_NAMES

    def more_features(self) -> dict[str, tfds.features.FeatureConnector]:
        """Returns how many annotators chose each class."""
        return {"votes": tfds.features.Tensor(shape=(len(CLASS_NAMES),), dtype=np.int32)}

    @staticmethod
    def read_examples(path: Path) -> dict[int, dict[str, Any]]:
        """Reads the tweets, by their numbers in the file."""
        rows = pd.read_csv(path, index_col=0)
        votes = rows[list(CLASS_NAMES)].to_numpy(np.int32)
        columns = (rows.index, rows["tweet"], rows["class"], votes)
        return {
            int(number): {"text": text, "label": int(label), "votes": vote}
            for number, text, label, vote in zip(*columns, strict=True)
        }


def read(data_dir: str | None) -> LabelledCorpus:
    """Reads the tweets; they are prepared once.

    Raises:
        UserError: it cannot be prepared, or what was prepared is damaged.
    """
    return read_corpus(Davidson, data_dir)


def read_original(data_dir: str | None) -> LabelledCorpus:
    """Reads the tweets from the original file, without TensorFlow; see
    `data.corpora.prepared.read_original`."""
    return prepared.read_original(Davidson, data_dir)
