"""From the options to an untrained text classifier."""

from pathlib import Path

from apps.classification_config import ClassificationConfig
from apps.language_model_builder import load_language_model
from apps.model_builder import build, recurrent_options, set_vectors, vocabulary_sizes
from data.preprocessor import START, Vocabularies
from data.units import Units
from models.classifier import TextClassifier
from models.names import PRECISIONS
from models.transfer import take_over


def sizes(
    config: ClassificationConfig, vocabularies: Vocabularies, num_classes: int
) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    return {**vocabulary_sizes(vocabularies, config.characters), "num_classes": num_classes}


def build_classifier(
    config: ClassificationConfig, vocabularies: Vocabularies, num_classes: int, open_rows: int = 0
) -> TextClassifier:
    """The untrained model; the vectors of the last `open_rows` tokens stay as they are.

    Raises:
        UserError: options that do not fit each other, or an unknown initializer.
    """
    settings = {
        **sizes(config, vocabularies, num_classes),
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
    if config.init_from:
        take_over(model, load_language_model(config.init_from))
        print(f"vectors and recurrent layers: those of {config.init_from}")
    return model


def language_model_vocabularies(run: str, found: Vocabularies) -> Vocabularies:
    """The tokens of a trained language model in the place of those that were found."""
    return Vocabularies([START, *Units.load(Path(run)).tokens], found.characters)
