"""Sentence pairs of the Tatoeba project, as manythings.org packs them."""

import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from data.errors import UserError
from data.files import whole_file
from data.originals import check_download, find_original
from data.parallel import Pair, ParallelCorpus, ParallelTexts, parallel_corpus, split_parallel
from data.parallel_files import read_pairs

_URL = "http://www.manythings.org/anki/"
_DOWNLOADS = Path("~/.cache/recurrent-text-suite/tatoeba")
_ENGLISH = "en"
# manythings.org names languages by three letters.
_CODES = {
    "cs": "ces",
    "de": "deu",
    "es": "spa",
    "fr": "fra",
    "it": "ita",
    "nl": "nld",
    "pl": "pol",
    "pt": "por",
    "ru": "rus",
    "sv": "swe",
    "tr": "tur",
}


def read(data_dir: str | None, source: str, target: str) -> ParallelCorpus:
    """Pairs of English and another language, from `<code>-eng.zip` (`fra-eng.zip`) in the data
    folder or a folder in it, or downloaded once; split 80/10/10 by the English sentence, so that no
    such sentence stands in two splits, whichever way is translated.

    Raises:
        UserError: unknown languages, a damaged file, or none and no network.
    """
    other = {source, target} - {_ENGLISH}
    if len(other) != 1 or source == target:
        raise UserError(
            f"tatoeba has English and one other language. Received: --source {source} "
            f"--target {target}"
        )
    language = other.pop()
    code = _CODES.get(language, language)
    name = f"{code}-eng.zip"
    path = find_original(data_dir, name, f"*/{name}")
    if path is None:
        path = _DOWNLOADS.expanduser() / name
        if not path.is_file():
            _download(name, path)
    pairs = _pairs_in(path, f"{code}.txt", language)
    splits = split_parallel(pairs)
    if source != _ENGLISH:
        splits = {
            split: ParallelTexts([Pair(row.target, row.source) for row in part])
            for split, part in splits.items()
        }
    return parallel_corpus("tatoeba", (source, target), splits)


def _pairs_in(path: Path, member: str, language: str) -> ParallelTexts:
    """English first; newer files have a third column, who wrote it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                extracted = archive.extract(member, folder)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise UserError(f"cannot read {path}: {error}. Get it from {_URL}") from None
        return read_pairs(extracted, _ENGLISH, language)


def _download(name: str, path: Path) -> None:
    remedy = f"the file of {_URL}{name} at <folder>/"
    check_download("tatoeba", _URL + name, remedy)
    # The site refuses what does not say that it is a browser.
    request = urllib.request.Request(_URL + name, headers={"User-Agent": "Mozilla/5.0"})
    with whole_file(path) as partial:
        try:
            partial.write_bytes(urllib.request.urlopen(request, timeout=60).read())
        except urllib.error.URLError as error:
            raise UserError(f"cannot download {name}: {error}. Put {remedy}") from error
