"""Tiny Shakespeare (Karpathy 2015): the original `input.txt`, or TFDS' copy."""

import tensorflow_datasets as tfds

from data.corpora.download import check_download, find_original
from data.corpora.prepared import explain_tfds_errors
from data.examples.documents import DocumentCorpus, cut_text
from data.files.archives import open_unpacked, read_whole

_PLACES = ("tinyshakespeare/input.txt", "tiny_shakespeare/input.txt", "input.txt")
_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"


def read(data_dir: str | None) -> DocumentCorpus:
    """Reads the first 90 % to train and the last 10 % to validate, as in nanoGPT.

    Raises:
        UserError: the file cannot be read, or there is none and no network.
    """
    source = find_original(data_dir, *_PLACES)
    if source is not None:
        remedy = f"Get it from {_URL}"
        with open_unpacked(source, remedy) as file:
            text = read_whole(file, source, remedy).decode("utf-8").replace("\r\n", "\n")
    else:
        with explain_tfds_errors("tiny_shakespeare"):
            builder = tfds.builder("tiny_shakespeare")
            if not builder.is_prepared():
                remedy = f"the file of {_URL} at <folder>/{_PLACES[0]}"
                check_download("tiny_shakespeare", _URL, remedy)
                builder.download_and_prepare()
            # The three splits of TFDS are parts of the text, in this order.
            parts = (builder.as_dataset(split=name) for name in ("train", "validation", "test"))
            rows = (row["text"] for part in parts for row in tfds.as_numpy(part))
            text = b"".join(rows).decode("utf-8")
    return DocumentCorpus.from_splits("tiny_shakespeare", cut_text(text))
