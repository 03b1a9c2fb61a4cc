"""Captions of pictures in English, French and German (Elliott et al. 2016, 2017)."""

from pathlib import Path

from data.corpora.download import check_original, download_once, find_original
from data.errors import UserError
from data.examples.parallel import ParallelCorpus
from data.user_files.parallel import read_aligned

LANGUAGES = ("en", "fr", "de")
_FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
_URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
_SHA256 = {
    "train.en.gz": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "train.fr.gz": "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
    "train.de.gz": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "val.en.gz": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "val.fr.gz": "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
    "val.de.gz": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "test_2016_flickr.en.gz": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    "test_2016_flickr.fr.gz": "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
    "test_2016_flickr.de.gz": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
}


def read(data_dir: str | None, source: str, target: str) -> ParallelCorpus:
    """Reads 29,000 pairs to train, 1,014 to validate and 1,000 to test (`test_2016_flickr`).

    The files are `multi30k/*.gz` in the data folder, or downloaded once.

    Args:
        data_dir: the data folder, or None.
        source, target: two of `LANGUAGES`.

    Raises:
        UserError: a language is unknown, a file is another one, or there is none and no network.
    """
    for language in (source, target):
        if language not in LANGUAGES:
            raise UserError(
                f"multi30k has no language {language!r}. Choose --source and --target of "
                f"{', '.join(LANGUAGES)}"
            )
    splits = {}
    for split, name in _FILES.items():
        sides = [_find_file(data_dir, f"{name}.{language}.gz") for language in (source, target)]
        splits[split] = read_aligned(*map(str, sides))
    return ParallelCorpus.from_splits("multi30k", (source, target), splits)


def _find_file(data_dir: str | None, name: str) -> Path:
    path = find_original(data_dir, f"multi30k/{name}", name)
    if path is None:
        remedy = f"the file of {_URL}{name} at <folder>/multi30k/"
        path = download_once("multi30k", _URL + name, remedy, lambda partial: _check(partial, name))
    _check(path, name)
    return path


def _check(path: Path, name: str) -> None:
    check_original(path, _SHA256[name], _URL)
