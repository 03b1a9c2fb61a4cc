"""Corpora of entities in files of columns, below the user's data folder."""

from data.corpora.download import find_original
from data.errors import UserError
from data.examples.tagged import TaggedCorpus
from data.user_files.tagged.conll import read_conll


def read_files(
    name: str,
    data_dir: str | None,
    files: dict[str, tuple[str, ...]],
    types: tuple[str, ...],
    source: str,
    optional: tuple[str, ...] = (),
) -> TaggedCorpus:
    """Reads a file a split, from the folder `name` in the data folder or from that itself.

    Args:
        name: of the corpus and its folder.
        data_dir: the user's data folder, or None.
        files: the names that each split's file may have.
        types: of the entities.
        source: where the files are to be had.
        optional: splits that may be absent.

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
                f"no {name}: {names[0]} is not there. Get it from {source}, put it at "
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
