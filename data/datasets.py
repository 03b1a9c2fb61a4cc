"""Data sets by name or path: named corpora, shipped samples, users' own files."""

import importlib
from dataclasses import replace

from data import registry
from data.errors import UserError
from data.examples.corpus import Corpus
from data.examples.documents import DocumentCorpus
from data.examples.parallel import ParallelCorpus
from data.examples.tagged import TaggedCorpus
from data.user_files.columns import Columns
from data.user_files.documents import labelled_documents, read_document_files
from data.user_files.labelled import read_table
from data.user_files.parallel import read_parallel_files
from data.user_files.parallel_columns import ParallelFiles
from data.user_files.tagged.columns import TaggedColumns
from data.user_files.tagged.files import read_tagged_files

# Labelled texts by the name that --dataset takes: a module with `read(data_dir) -> Corpus`.
CORPORA = {
    "davidson": "data.corpora.labelled.davidson",
    "imdb": "data.corpora.labelled.imdb",
    "sms_spam": "data.corpora.labelled.sms_spam",
    "sst2": "data.corpora.labelled.sst2",
}
# Texts with entities: likewise, `read(data_dir) -> TaggedCorpus`.
TAGGED_CORPORA = {
    "btc": "data.corpora.tagged.btc",
    "conll2003": "data.corpora.tagged.conll2003",
    "wnut17": "data.corpora.tagged.wnut17",
}
# Texts with translations: a module with `read(data_dir, source, target) -> ParallelCorpus`.
PARALLEL_CORPORA = {
    "multi30k": "data.corpora.parallel.multi30k",
    "tatoeba": "data.corpora.parallel.tatoeba",
}
SAMPLE_LANGUAGES = ("en", "fr")
# Texts without answers: likewise, `read(data_dir) -> DocumentCorpus`.
DOCUMENT_CORPORA = {
    "sample": "data.corpora.documents.python_help",
    "tiny_shakespeare": "data.corpora.documents.tiny_shakespeare",
}


def read_labelled_texts(
    dataset: str,
    sample: str,
    data_dir: str | None = None,
    columns: Columns = Columns(),  # noqa: B008 (it is frozen)
    class_names: tuple[str, ...] = (),
) -> Corpus:
    """Reads a data set of labelled texts.

    Args:
        dataset: `sample`, a name in `CORPORA`, or else the path of a user's file.
        sample: the application's file in `data/samples`.
        data_dir: the folder with the original files of named corpora, or None.
        columns: for users' files.
        class_names: the classes of a trained model, to evaluate it on other data.

    Raises:
        UserError: no such data set, or something in it cannot be used.
    """
    if dataset == "sample":
        corpus = read_table(str(registry.SAMPLES / sample), class_names=class_names)
        return replace(corpus, name="sample")
    if dataset in CORPORA:
        corpus = importlib.import_module(CORPORA[dataset]).read(data_dir)
        _check_classes(corpus, class_names)
        return corpus
    return read_table(dataset, columns, class_names)


def read_tagged_texts(
    dataset: str,
    sample: str,
    data_dir: str | None = None,
    columns: TaggedColumns = TaggedColumns(),  # noqa: B008 (it is frozen)
    validation: str | None = None,
    test: str | None = None,
    types: tuple[str, ...] = (),
) -> TaggedCorpus:
    """Reads a data set of texts with entities.

    Args:
        dataset: `sample`, a name in `TAGGED_CORPORA`, or else the path of a user's file.
        sample, data_dir: as `read_labelled_texts`.
        columns, validation, test: for users' files, see `data.user_files.tagged.files`.
        types: those of a trained model, to evaluate it on other data.

    Raises:
        UserError: no such data set, or something in it cannot be used.
    """
    if dataset in TAGGED_CORPORA:
        corpus = importlib.import_module(TAGGED_CORPORA[dataset]).read(data_dir)
        _check_classes(corpus, types)
        return corpus
    if dataset == "sample":
        corpus = read_tagged_files(str(registry.SAMPLES / sample), columns, types=types)
        return replace(corpus, name="sample")
    return read_tagged_files(dataset, columns, validation, test, types)


def read_parallel_texts(
    dataset: str, sample: str, data_dir: str | None, files: ParallelFiles
) -> ParallelCorpus:
    """Reads a data set of texts with translations.

    Args:
        dataset: `sample`, a name in `PARALLEL_CORPORA`, or else the path of a user's file.
        sample, data_dir: as `read_labelled_texts`.
        files: the languages, and more of users' files (`data.user_files.parallel`).

    Raises:
        UserError: no such data set, or something in it cannot be used.
    """
    if dataset in PARALLEL_CORPORA:
        module = importlib.import_module(PARALLEL_CORPORA[dataset])
        return module.read(data_dir, files.source, files.target)
    if dataset == "sample":
        languages = ParallelFiles(files.source, files.target)
        if {files.source, files.target} != set(SAMPLE_LANGUAGES):
            raise UserError(
                f"the sample has {' and '.join(SAMPLE_LANGUAGES)}. Received: --source "
                f"{files.source} --target {files.target}"
            )
        corpus = read_parallel_files(str(registry.SAMPLES / sample), languages)
        return replace(corpus, name="sample")
    return read_parallel_files(dataset, files)


def read_documents(
    dataset: str,
    data_dir: str | None = None,
    columns: Columns = Columns(),  # noqa: B008 (it is frozen)
    conditioned: bool = False,
    validation: str | None = None,
    test: str | None = None,
    class_names: tuple[str, ...] = (),
) -> DocumentCorpus:
    """Reads texts to learn a language from.

    Args:
        dataset: a name in `DOCUMENT_CORPORA` or `CORPORA`, or else a user's file or folder.
        data_dir: as `read_labelled_texts`.
        columns, conditioned, validation, test, class_names: see `data.user_files.documents`. Of
        named
            corpora of labelled texts, the classes.

    Raises:
        UserError: no such data set, or something in it cannot be used.
    """
    if dataset in CORPORA:
        corpus = importlib.import_module(CORPORA[dataset]).read(data_dir)
        if conditioned:
            _check_classes(corpus, class_names)
        return labelled_documents(corpus, conditioned)
    if dataset not in DOCUMENT_CORPORA:
        files = conditioned, validation, test, class_names
        return read_document_files(dataset, columns, *files)
    if conditioned:
        raise UserError(f"--conditioned needs texts with classes, {dataset} has none. Leave it out")
    return importlib.import_module(DOCUMENT_CORPORA[dataset]).read(data_dir)


def _check_classes(corpus: Corpus, class_names: tuple[str, ...]) -> None:
    if class_names and class_names != corpus.class_names:
        raise UserError(
            f"{corpus.name} has the classes {', '.join(corpus.class_names)}, the model has "
            f"{', '.join(class_names)}. Evaluate on data with the model's classes"
        )
