"""Sentence pairs of the Tatoeba project, as manythings.org packs them."""

from pathlib import Path

from data.corpora.download import download_once, find_original
from data.errors import UserError
from data.examples.parallel import (
    Pair,
    ParallelCorpus,
    ParallelTexts,
    split_parallel,
)
from data.files.writing import sha256
from data.formats.languages import three_letter_code
from data.messages import warn
from data.user_files.parallel import read_member

_URL = "http://www.manythings.org/anki/"
_ENGLISH = "en"
# The archives on which the metrics of docs/results were measured.
_KNOWN = {"fra-eng.zip": "16c4f7d0df9e7c5e6c54cdb0447f3f4a18a55052ff5e2e0b27dd4a06c0e49d04"}


def read(data_dir: str | None, source: str, target: str) -> ParallelCorpus:
    """Reads pairs of English and another language.

    The file is `<code>-eng.zip` (`fra-eng.zip`) in the data folder or in a folder of it, or is
    downloaded once. Pairs are split 80/10/10 by the English sentence, so that no such sentence
    stands in two splits, in either direction.

    Args:
        data_dir: the data folder, or None.
        source, target: the languages, of which one is English.

    Raises:
        UserError: a language is unknown, the file is damaged, or there is none and no network.
    """
    other = {source, target} - {_ENGLISH}
    if len(other) != 1 or source == target:
        raise UserError(
            f"tatoeba has English and one other language. Received: --source {source} "
            f"--target {target}"
        )
    code = three_letter_code(other.pop())
    name = f"{code}-eng.zip"
    path = find_original(data_dir, name, f"*/{name}")
    if path is None:
        remedy = f"the file of {_URL}{name} at <folder>/"
        # There is no checksum, because the file grows; a file that can be read is intact.
        path = download_once(
            "tatoeba", _URL + name, remedy, lambda partial: _read_pairs(partial, code)
        )
    pairs = _read_pairs(path, code)
    if name in _KNOWN and sha256(path) != _KNOWN[name]:
        warn(f"{path} is not the file of 2017-09-29: metrics differ from those of docs/results")
    splits = split_parallel(pairs)
    if source != _ENGLISH:
        splits = {
            split: ParallelTexts([Pair(row.target, row.source) for row in part])
            for split, part in splits.items()
        }
    return ParallelCorpus.from_splits("tatoeba", (source, target), splits)


def _read_pairs(path: Path, code: str) -> ParallelTexts:
    """Reads pairs, English first; the third column of newer files names the author."""
    return read_member(str(path), f"{code}.txt", f"Get it from {_URL}")
