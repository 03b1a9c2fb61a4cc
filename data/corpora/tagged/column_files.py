"""Reads corpora of entities from files of columns below the user's data folder."""

from collections.abc import Mapping

from data.corpora.download import find_original
from data.errors import UserError
from data.examples.tagged import TaggedCorpus
from data.user_files.tagged.conll import read_conll


def read_files(
    name: str,
    data_dir: str | None,
    files: Mapping[str, tuple[str, ...]],
    types: tuple[str, ...],
    source: str,
    optional: tuple[str, ...] = (),
) -> TaggedCorpus:
    """Reads a file a split, from the folder `name` in the data folder or from the data folder.

    Args:
        name: the name of the corpus and its folder.
        data_dir: the user's data folder, or None.
        files: the names that each split's file may have.
        types: the entity types of the corpus.
        source: the address of the files.
        optional: splits that may be missing.

    Raises:
        UserError: files are missing or damaged, or have other types.
    """
    splits = {}
    for split, names in files.items():
        places = [f"{folder}{file}" for folder in (f"{name}/", "") for file in names]
        path = find_original(data_dir, *places)
        if path is not None:
            splits[split], _ = read_conll(path)
        elif split not in optional:
            raise UserError(
                f"no {name}: {names[0]} is missing. Get it from {source}, put it at "
                f"<folder>/{name}/{names[0]} and pass --data-dir <folder>"
            )
    corpus = TaggedCorpus.from_splits(name, splits, types)
    unknown = corpus.everything().types - set(types)
    if unknown:
        raise UserError(
            f"{name} in {data_dir} has the type {min(unknown)!r}, expected "
            f"{', '.join(types)}. Get it from {source}"
        )
    return corpus
