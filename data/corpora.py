"""Data sets by name or path: named corpora, shipped samples, users' own files."""

import importlib
from dataclasses import replace

from data.columns import Columns
from data.errors import UserError
from data.examples import Corpus
from data.names import SAMPLES
from data.tabular import read_table

# Labelled texts by the name that --dataset takes: a module with `read(data_dir) -> Corpus`.
CORPORA = {
    "davidson": "data.davidson",
    "imdb": "data.imdb",
    "sms_spam": "data.sms_spam",
    "sst2": "data.sst2",
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
        corpus = read_table(str(SAMPLES / sample), class_names=class_names)
        return replace(corpus, name="sample")
    if dataset in CORPORA:
        corpus = importlib.import_module(CORPORA[dataset]).read(data_dir)
        if class_names and class_names != corpus.class_names:
            raise UserError(
                f"{dataset} has the classes {', '.join(corpus.class_names)}, the model has "
                f"{', '.join(class_names)}. Evaluate on data with the model's classes"
            )
        return corpus
    return read_table(dataset, columns, class_names)
