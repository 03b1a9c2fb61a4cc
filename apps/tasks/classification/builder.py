"""From the options to an untrained text classifier."""

import keras

from apps.tasks.builder import build, recurrent_options, set_vectors, vocabulary_sizes
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.pretrained import TrainedModel
from data.messages import say
from data.text.special_tokens import START_TOKEN
from data.text.vocabulary import Vocabularies, build_vocabularies
from models.classification.classifier import TextClassifier
from models.classification.wide_classifier import WideClassifier
from models.language_model.language_model import LanguageModel
from models.optimization.r_drop import RDrop
from models.registry import PRECISIONS
from models.transfer import load_classifier_weights, load_language_model_into_classifier


def sizes(
    config: ClassificationConfig, vocabularies: Vocabularies, num_classes: int
) -> dict[str, int]:
    """Returns the arguments of the model that follow from the data."""
    return {**vocabulary_sizes(vocabularies, config.characters), "num_classes": num_classes}


def build_classifier(
    config: ClassificationConfig,
    vocabularies: Vocabularies,
    class_names: tuple[str, ...],
    open_rows: int = 0,
    beginning: TrainedModel | None = None,
) -> TextClassifier:
    """Builds the untrained model; the vectors of the last `open_rows` tokens stay as they are.

    Args:
        config: the options.
        vocabularies: see `vocabularies_for`.
        class_names: the classes.
        open_rows: how many vectors stay.
        beginning: what the model begins with, that of `--init-from`.

    Raises:
        UserError: options that do not fit each other, or an unknown initializer; or what the model
            would begin with is several models.
    """
    trained = _recurrent_model(beginning, config.init_from) if beginning else None
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
        "adversarial": config.adversarial,
    }
    model = build(TextClassifier, settings)
    if config.vectors:
        set_vectors(model.get_layer("embedding"), vocabularies.tokens, config)
    if isinstance(trained, LanguageModel):
        load_language_model_into_classifier(model, trained)
        say(f"vectors and recurrent layers: weights from {config.init_from}")
    elif beginning is not None and trained is not None:
        same = tuple(beginning.description.class_names) == tuple(class_names)
        load_classifier_weights(model, trained, same)
        layers = "all layers" if same else "all layers but the last"
        say(f"{layers}: weights from {config.init_from}")
    return model


def trained_part(
    model: TextClassifier, config: ClassificationConfig, multi_label: bool
) -> keras.Model:
    """Returns what a training changes: the model itself, or one of the same layers that learns by
    R-Drop."""
    if not config.r_drop:
        return model
    with model.distribute_strategy.scope():
        return RDrop(model, config.r_drop, multi_label, name="trained_part")


def _recurrent_model(beginning: TrainedModel, run: str | None) -> LanguageModel | TextClassifier:
    """Returns the model that a run holds; a classifier without its linear model."""
    model = beginning.model
    return model.recurrent if isinstance(model, WideClassifier) else model


def vocabularies_for(
    config: ClassificationConfig, train_texts: list[str], beginning: TrainedModel | None = None
) -> Vocabularies:
    """Returns the vocabularies of a new model.

    They are those of the classifier that it begins with, or those of the training texts, with the
    tokens of the language model that it begins with.
    """
    if beginning and beginning.vocabularies:
        return beginning.vocabularies
    found = build_vocabularies(train_texts, config.standardize, config.max_tokens, config.min_count)
    if beginning and beginning.tokenizer_vocabulary:
        return Vocabularies([START_TOKEN, *beginning.tokenizer_vocabulary.tokens], found.characters)
    return found
