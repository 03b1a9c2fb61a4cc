"""Emerging and rare entities in social media (Derczynski et al. 2017, the WNUT-17 shared task)."""

from data.corpora.tagged.column_files import read_files
from data.examples.tagged import TaggedCorpus

TYPES = ("corporation", "creative-work", "group", "location", "person", "product")
_FILES = {
    "train": ("wnut17train.conll",),
    "validation": ("emerging.dev.conll",),
    "test": ("emerging.test.annotated",),
}
_SOURCE = "https://github.com/leondz/emerging_entities_17"


def read(data_dir: str | None) -> TaggedCorpus:
    """Reads the official splits: 3,394 / 1,009 / 1,287 sentences, from `wnut17` in the data folder.

    Raises:
        UserError: a file is missing.
    """
    return read_files("wnut17", data_dir, _FILES, TYPES, _SOURCE)
