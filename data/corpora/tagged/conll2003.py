"""English news of the CoNLL-2003 shared task (Tjong Kim Sang & De Meulder 2003)."""

import tensorflow_datasets as tfds

from data.corpora.download import check_download, find_original
from data.corpora.prepared import explain_tfds_errors
from data.corpora.tagged.column_files import read_files
from data.examples.tagged import TaggedCorpus, TaggedText, TaggedTexts

TYPES = ("LOC", "MISC", "ORG", "PER")
_FILES = {
    "train": ("eng.train", "train.txt"),
    "validation": ("eng.testa", "valid.txt"),
    "test": ("eng.testb", "test.txt"),
}
_TASK = "https://www.clips.uantwerpen.be/conll2003/ner/"
# The file that the builder downloads.
_PREPARED = "https://data.deepai.org/conll2003.zip"
_TFDS_SPLITS = {"train": "train", "validation": "dev", "test": "test"}


def read(data_dir: str | None) -> TaggedCorpus:
    """Reads the official splits: 14,041 / 3,250 / 3,453 sentences.

    They come from the task's own files `eng.train`, `eng.testa`, `eng.testb` in the data folder or
    its folder `conll2003`, otherwise from the builder of TensorFlow Datasets.

    Raises:
        UserError: files are missing or damaged, or there are none and no network.
    """
    places = [f"{folder}{file}" for folder in ("conll2003/", "") for file in _FILES["train"][:1]]
    if find_original(data_dir, *places, "conll2003/train.txt") is not None:
        return read_files("conll2003", data_dir, _FILES, TYPES, _TASK)
    with explain_tfds_errors("conll2003"):
        builder = tfds.builder("conll2003")
        if not builder.is_prepared():
            remedy = "eng.train, eng.testa and eng.testb at <folder>/conll2003/"
            check_download("conll2003", _PREPARED, remedy)
        builder.download_and_prepare()
        splits = {name: _read_split(builder, split) for name, split in _TFDS_SPLITS.items()}
    return TaggedCorpus.from_splits("conll2003", splits, TYPES)


def _read_split(builder: tfds.core.DatasetBuilder, split: str) -> TaggedTexts:
    names = builder.info.features["ner"].feature.names
    rows = []
    for row in tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False)):
        tokens = [token.decode("utf-8") for token in row["tokens"]]
        # To the builder the marker of a document is a sentence.
        if tokens and tokens != ["-DOCSTART-"]:
            rows.append(TaggedText.from_tokens(tokens, [names[tag] for tag in row["ner"]]))
    return TaggedTexts(rows)
