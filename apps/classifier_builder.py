"""From the options to an untrained text classifier."""

from pathlib import Path

from apps.classification_config import ClassificationConfig
from apps.model_builder import build, recurrent_options, set_vectors, vocabulary_sizes
from apps.run_folder import RunFolder
from apps.trained_model import holds_a_language_model, trained_model
from data.errors import UserError
from data.preprocessor import START, Vocabularies, build_vocabularies
from data.units import Units
from models.classifier import TextClassifier
from models.ensemble import Ensemble
from models.language_model import LanguageModel
from models.names import PRECISIONS
from models.transfer import begin_with, take_over
from models.wide_classifier import WideClassifier


def sizes(
    config: ClassificationConfig, vocabularies: Vocabularies, num_classes: int
) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    return {**vocabulary_sizes(vocabularies, config.characters), "num_classes": num_classes}


def build_classifier(
    config: ClassificationConfig,
    vocabularies: Vocabularies,
    class_names: tuple[str, ...],
    open_rows: int = 0,
) -> TextClassifier:
    """The untrained model; the vectors of the last `open_rows` tokens stay as they are.

    Raises:
        UserError: options that do not fit each other, or an unknown initializer; or what the model
            would begin with is missing, damaged or several models.
    """
    trained = _trained(config.init_from) if config.init_from else None
    if isinstance(trained, TextClassifier):
        open_rows = trained.settings["open_rows"]
    settings = {
        **sizes(config, vocabularies, len(class_names)),
        "embedding_dim": config.embedding_dim,
        "recurrent": recurrent_options(config),
        "pooling": config.pooling,
        "dropout": config.dropout,
        "max_word_length": config.max_word_length,
        "word_dropout": config.word_dropout,
        "open_rows": open_rows,
        "dtype": PRECISIONS[config.mixed_precision],
    }
    model = build(TextClassifier, settings)
    if config.vectors:
        set_vectors(model.get_layer("embedding"), vocabularies.tokens, config)
    if isinstance(trained, LanguageModel):
        take_over(model, trained)
        print(f"vectors and recurrent layers: those of {config.init_from}")
    elif trained is not None:
        classes = RunFolder(Path(config.init_from)).describe()["class_names"]
        same = tuple(classes) == tuple(class_names)
        begin_with(model, trained, same)
        print(f"{'all' if same else 'all but the last'} layers: those of {config.init_from}")
    return model


def _trained(run: str) -> LanguageModel | TextClassifier:
    """The model in a run folder, a classifier without its linear model."""
    model = trained_model(run)
    if isinstance(model, Ensemble):
        first = RunFolder(Path(run)).describe()["config"]["seed"]
        raise UserError(
            f"{run} holds the mean of {len(model.members)} models. Begin with one of them, such as "
            f"--init-from {run}/seeds/{first}, or with one after the other by --seeds "
            f"{len(model.members)}"
        )
    return model.recurrent if isinstance(model, WideClassifier) else model


def vocabularies_for(config: ClassificationConfig, train_texts: list[str]) -> Vocabularies:
    """The vocabularies of a new model: those of the classifier that it begins with, or those of the
    training texts, with the tokens of the language model that it begins with.

    Raises:
        UserError: what it begins with is missing or damaged.
    """
    run = config.init_from
    if run and not holds_a_language_model(run):
        return Vocabularies.load(Path(run))
    found = build_vocabularies(train_texts, config.standardize, config.max_tokens, config.min_count)
    return Vocabularies([START, *Units.load(Path(run)).tokens], found.characters) if run else found
