"""Data sets by name or path: named corpora, shipped samples, users' own files."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from data import registry
from data.errors import UserError
from data.examples.captions import CaptionCorpus
from data.examples.corpus import Corpus
from data.examples.dialogues import dialogue_corpus
from data.examples.documents import DocumentCorpus
from data.examples.labelled import LabelledCorpus
from data.examples.parallel import ParallelCorpus
from data.examples.tagged import TaggedCorpus
from data.scenes.corpus import read_scenes
from data.user_files.captions import read_caption_file
from data.user_files.columns import (
    CaptionFiles,
    DialogueFiles,
    LabelledColumns,
    ParallelFiles,
    TaggedColumns,
)
from data.user_files.dialogues import read_dialogue_files
from data.user_files.documents import read_document_files
from data.user_files.labelled import read_labelled_file
from data.user_files.parallel import read_parallel_files
from data.user_files.tagged.files import read_tagged_files

# Public corpora by the name that --dataset takes: the module whose `read` reads one. Its first
# argument is the user's data folder or None; those of parallel texts take the languages, too.
LABELLED_CORPORA = {
    "davidson": "data.corpora.labelled.davidson",
    "imdb": "data.corpora.labelled.imdb",
    "imdb_films": "data.corpora.labelled.imdb_films",
    "sms_spam": "data.corpora.labelled.sms_spam",
    "sst2": "data.corpora.labelled.sst2",
    "sst2_phrases": "data.corpora.labelled.sst2_phrases",
}
TAGGED_CORPORA = {
    "btc": "data.corpora.tagged.btc",
    "conll2003": "data.corpora.tagged.conll2003",
    "wnut17": "data.corpora.tagged.wnut17",
}
PARALLEL_CORPORA = {
    "aeslc": "data.corpora.parallel.aeslc",
    "multi30k": "data.corpora.parallel.multi30k",
    "tatoeba": "data.corpora.parallel.tatoeba",
}
DIALOGUE_CORPORA = {
    "dailydialog": "data.corpora.dialogues.dailydialog",
    "dailydialog_clean": "data.corpora.dialogues.dailydialog",
}
CAPTION_CORPORA = {
    "flickr8k": "data.corpora.captions.flickr8k",
}
DOCUMENT_CORPORA = {
    "sample": "data.corpora.documents.python_help",
    "tiny_shakespeare": "data.corpora.documents.tiny_shakespeare",
}
# Those that TensorFlow prepares, and whose modules have `read_original`, which does without it.
_PREPARED = ("davidson", "sms_spam")
# Pairs whose sources are documents by themselves.
CORPORA_WITH_BODIES = {"aeslc": PARALLEL_CORPORA["aeslc"]}
SAMPLE_LANGUAGES = ("en", "fr")

CorpusT = TypeVar("CorpusT", bound=Corpus)


def _read(
    dataset: str,
    corpora: dict[str, str],
    data_dir: str | None,
    sample: str,
    read_file: Callable[[str], CorpusT],
    *languages: str,
    original: bool = False,
) -> CorpusT:
    """Reads a named corpus, the sample of an application or a user's file.

    Args:
        dataset: a name in `corpora`, `sample`, or else the path of a user's file.
        corpora: modules by the names of corpora.
        data_dir: the folder with the original files of named corpora, or None.
        sample: the file in `data/samples`.
        read_file: reads a file.
        languages: further arguments of the modules' `read`.
        original: whether a corpus is read without TensorFlow.
    """
    if dataset in corpora:
        if original and dataset in _PREPARED:
            return importlib.import_module(corpora[dataset]).read_original(data_dir)
        return importlib.import_module(corpora[dataset]).read(data_dir, *languages)
    if dataset == "sample":
        return replace(read_file(str(registry.SAMPLES / sample)), name="sample")
    return read_file(dataset)


def read_labelled_texts(
    dataset: str,
    sample: str,
    data_dir: str | None = None,
    columns: LabelledColumns = LabelledColumns(),  # noqa: B008 (it is frozen)
    class_names: tuple[str, ...] = (),
    original: bool = False,
    validation: str | None = None,
    test: str | None = None,
) -> LabelledCorpus:
    """Reads a data set of labelled texts.

    Args:
        dataset: `sample`, a name in `LABELLED_CORPORA`, or else the path of a user's file.
        sample: the application's file in `data/samples`.
        data_dir: the folder with the original files of named corpora, or None.
        columns: for users' files.
        class_names: the classes of a trained model, to evaluate it on other data.
        original: whether a named corpus is read from its original files, without TensorFlow; the
            same examples may come in another order.
        validation, test: files of these splits, for users' files.

    Raises:
        UserError: there is no such data set, or something in it cannot be used.
    """
    if dataset == "sample":
        columns, validation, test = LabelledColumns(), None, None
    read_file = partial(
        read_labelled_file,
        columns=columns,
        class_names=class_names,
        validation=validation,
        test=test,
    )
    corpus = _read(dataset, LABELLED_CORPORA, data_dir, sample, read_file, original=original)
    _check_labels(corpus.name, "classes", corpus.class_names, class_names)
    return corpus


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
        sample, data_dir: as in `read_labelled_texts`.
        columns, validation, test: for users' files, see `data.user_files.tagged.files`.
        types: the entity types of a trained model, to evaluate it on other data.

    Raises:
        UserError: there is no such data set, or something in it cannot be used.
    """
    if dataset == "sample":
        validation = test = None
    read_file = partial(
        read_tagged_files, columns=columns, validation=validation, test=test, types=types
    )
    corpus = _read(dataset, TAGGED_CORPORA, data_dir, sample, read_file)
    _check_labels(corpus.name, "entity types", corpus.entity_types, types)
    return corpus


def read_parallel_texts(
    dataset: str,
    sample: str,
    data_dir: str | None,
    files: ParallelFiles,
    sample_sides: tuple[str, str] = SAMPLE_LANGUAGES,
    sides: str = "languages",
) -> ParallelCorpus:
    """Reads a data set of texts with translations, or with other texts that belong to them.

    Args:
        dataset: `sample`, a name in `PARALLEL_CORPORA`, or else the path of a user's file.
        sample, data_dir: as in `read_labelled_texts`.
        files: the languages; the rest is for users' files, see `data.user_files.parallel`.
        sample_sides: the languages of the sample, in either direction.
        sides: what `files.source` and `files.target` are.

    Raises:
        UserError: there is no such data set, or something in it cannot be used.
    """
    languages = (files.source, files.target)
    if dataset == "sample":
        if set(languages) != set(sample_sides):
            raise UserError(
                f"the sample has {' and '.join(sample_sides)}. Received: --source "
                f"{files.source} --target {files.target}"
            )
        files = ParallelFiles(*languages)
    read_file = partial(read_parallel_files, files=files)
    corpus = _read(dataset, PARALLEL_CORPORA, data_dir, sample, read_file, *languages)
    return replace(corpus, sides=sides)


def read_dialogues(
    dataset: str,
    sample: str,
    data_dir: str | None,
    sides: tuple[str, str],
    turns: int,
    files: DialogueFiles = DialogueFiles(),  # noqa: B008 (it is frozen)
    is_reversed: bool = False,
) -> ParallelCorpus:
    """Reads a data set of dialogues as pairs: a turn is the answer to those before it.

    Args:
        dataset: `sample`, a name in `DIALOGUE_CORPORA`, or else the path of a user's file.
        sample, data_dir: as in `read_labelled_texts`.
        sides: what sources and targets are called.
        turns: how many of the last turns an answer is given to.
        files: for users' files, see `data.user_files.dialogues`.
        is_reversed: whether a turn is the source, and the one before it the target.

    Raises:
        UserError: there is no such data set, or something in it cannot be used.
    """
    if dataset in DIALOGUE_CORPORA:
        module = importlib.import_module(DIALOGUE_CORPORA[dataset])
        name, splits = dataset, module.read(data_dir, dataset)
    elif dataset == "sample":
        name = dataset
        splits = read_dialogue_files(str(registry.SAMPLES / sample), DialogueFiles())
    else:
        name, splits = Path(dataset).name, read_dialogue_files(dataset, files)
    return replace(dialogue_corpus(name, sides, splits, turns, is_reversed), sides="columns")


def read_captioned_pictures(
    dataset: str,
    data_dir: str | None = None,
    files: CaptionFiles = CaptionFiles(),  # noqa: B008 (it is frozen)
) -> CaptionCorpus:
    """Reads a data set of pictures with captions.

    Args:
        dataset: `sample`, a name in `CAPTION_CORPORA`, or else the path of a user's file.
        data_dir: as in `read_labelled_texts`.
        files: for users' files, see `data.user_files.captions`.

    Raises:
        UserError: there is no such data set, or something in it cannot be used.
    """
    if dataset == "sample":
        return replace(read_scenes(), name="sample")
    return _read(dataset, CAPTION_CORPORA, data_dir, "", partial(read_caption_file, files=files))


def read_documents(
    dataset: str,
    data_dir: str | None = None,
    columns: LabelledColumns = LabelledColumns(),  # noqa: B008 (it is frozen)
    conditioned: bool = False,
    validation: str | None = None,
    test: str | None = None,
    class_names: tuple[str, ...] = (),
    original: bool = False,
) -> DocumentCorpus:
    """Reads texts to learn a language from.

    Args:
        dataset: a name in `DOCUMENT_CORPORA`, `CORPORA_WITH_BODIES` or `LABELLED_CORPORA`, or else
            a user's file or folder.
        data_dir: as in `read_labelled_texts`.
        columns, validation, test: for users' files, see `data.user_files.documents`.
        conditioned: whether the texts keep their classes.
        class_names: the classes of a trained model, to evaluate it on other data.
        original: as in `read_labelled_texts`.

    Raises:
        UserError: there is no such data set, or something in it cannot be used.
    """
    if dataset in LABELLED_CORPORA:
        names = class_names if conditioned else ()
        corpus = read_labelled_texts(dataset, "", data_dir, class_names=names, original=original)
        return DocumentCorpus.from_labelled(corpus, conditioned)
    if conditioned and dataset in (*DOCUMENT_CORPORA, *CORPORA_WITH_BODIES):
        raise UserError(f"--conditioned needs texts with classes, {dataset} has none. Leave it out")
    if dataset in CORPORA_WITH_BODIES:
        pairs = importlib.import_module(CORPORA_WITH_BODIES[dataset]).read(data_dir, "text", "")
        return DocumentCorpus.from_sources(pairs)
    read_file = partial(
        read_document_files,
        columns=columns,
        conditioned=conditioned,
        validation=validation,
        test=test,
        class_names=class_names,
    )
    return _read(dataset, DOCUMENT_CORPORA, data_dir, "", read_file)


def _check_labels(name: str, kind: str, labels: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Refuses data whose labels are not those of the model that is evaluated."""
    if expected and expected != labels:
        raise UserError(
            f"{name} has the {kind} {', '.join(labels)}, the model has {', '.join(expected)}. "
            f"Evaluate on data with the {kind} of the model"
        )
