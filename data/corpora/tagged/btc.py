"""The Broad Twitter Corpus (Derczynski et al. 2016)."""

from data.corpora.tagged.column_files import read_files
from data.examples.tagged import TaggedCorpus

TYPES = ("LOC", "ORG", "PER")
_FILES = {"train": ("btc.train",), "validation": ("btc.dev",), "test": ("btc.test",)}
_SOURCE = "https://github.com/GateNLP/broad_twitter_corpus"


def read(data_dir: str | None) -> TaggedCorpus:
    """Reads 6,338 sentences to train and 1,000 to validate, from `btc` in the data folder.

    There is a test split if `btc.test` is there, too. One more sentence to validate is white space.

    Raises:
        UserError: a file is missing.
    """
    return read_files("btc", data_dir, _FILES, TYPES, _SOURCE, optional=("test",))
