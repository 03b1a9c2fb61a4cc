"""The trained model that `--init-from` names, and what its ids mean."""

from pathlib import Path
from typing import NamedTuple

import keras

from apps.config.training import TrainingConfig
from apps.runs.contents import MODEL
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.runs.init_from import check_inherited
from apps.tasks.builder import load
from data.text.preprocessor import Vocabularies
from data.text.tokenizer_vocabulary import TokenizerVocabulary, find_vocabulary


class TrainedModel(NamedTuple):
    """A model of a run folder and the files that belong to it, all of one training.

    Attributes:
        description: what `config.json` says.
        model: a language model, a tagger or a classifier.
        vocabularies: of a tagger or classifier.
        tokenizer_vocabulary: of a language model, or of the one that a tagger reads.
    """

    description: dict
    model: keras.Model
    vocabularies: Vocabularies | None
    tokenizer_vocabulary: TokenizerVocabulary | None


def beginning(config: TrainingConfig) -> TrainedModel | None:
    """Returns the model that a training begins with; None if that has weights of its own.

    Raises:
        UserError: there is no run, it is damaged, or another one than when the training began.
    """
    if not config.init_from:
        return None
    trained = read_trained(config.init_from)
    check_inherited(config, trained.description)
    return trained


def read_trained(run: str) -> TrainedModel:
    """Returns the model in the run folder of a language model, a tagger or a classifier.

    Raises:
        UserError: there is no run, or its files are missing or damaged.
    """
    files = read_run(RunFolder(Path(run)))
    language = files.description["application"] == "text_generation"
    with files.copied() as folder:
        vocabularies = None if language else Vocabularies.load(folder)
        tokens = None
        if language or find_vocabulary(folder).exists():
            tokens = TokenizerVocabulary.load(folder)
        size = tokens.vocabulary_size if language else len(vocabularies.tokens) + 2
        model = load(folder / MODEL, {"vocabulary_size": size})
    return TrainedModel(files.description, model, vocabularies, tokens)
