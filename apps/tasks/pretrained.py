"""The trained model that `--init-from` names, and what its ids mean."""

from typing import NamedTuple

import keras

from apps.config.training import TrainingConfig
from apps.runs.contents import MODEL
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.runs.init_from import check_inherited, read_pretrained
from apps.tasks.builder import check_single, load
from data.text.tokenizer_vocabulary import TokenizerVocabulary, find_vocabulary
from data.text.vocabulary import Vocabularies


class TrainedModel(NamedTuple):
    """A model of a run folder and the files that belong to it, all of one training.

    Attributes:
        description: what `config.json` says.
        model: a language model, a tagger or a classifier.
        vocabularies: of a tagger or classifier.
        tokenizer_vocabulary: of a language model, or of the one that a tagger reads.
    """

    description: RunDescription
    model: keras.Model
    vocabularies: Vocabularies | None
    tokenizer_vocabulary: TokenizerVocabulary | None


def load_pretrained(config: TrainingConfig, files: RunFiles | None = None) -> TrainedModel | None:
    """Returns the model that a training begins with; None if it begins with random weights.

    Args:
        config: the options of the training.
        files: of the run that `init_from` names, where it has been read already.

    Raises:
        UserError: there is no run, it is damaged, or another one than when the training began.
    """
    files = read_pretrained(config, files)
    if files is None:
        return None
    trained = load_trained(files)
    check_inherited(config, trained.description)
    seed = trained.description.config.get("seed", 0)
    check_single(trained.model, getattr(config, "init_from", None), seed)
    return trained


def load_trained(files: RunFiles) -> TrainedModel:
    """Returns the model in the run of a language model, a tagger or a classifier.

    Raises:
        UserError: files are missing or damaged.
    """
    with files.copied() as folder:
        tokens = TokenizerVocabulary.load(folder) if find_vocabulary(folder).exists() else None
        # A language model has no other vocabulary than that of its tokenizer.
        names = Vocabularies.FILES.values()
        others = tokens is None or any((folder / name).exists() for name in names)
        vocabularies = Vocabularies.load(folder) if others else None
        learned = vocabularies or tokens
        assert learned is not None
        size = learned.vocabulary_size
        model = load(folder / MODEL, {"vocabulary_size": size})
    return TrainedModel(files.description, model, vocabularies, tokens)
