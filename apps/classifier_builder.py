"""From the options to an untrained text classifier."""

from apps.classification_config import ClassificationConfig
from apps.model_builder import build, recurrent_options, set_vectors, vocabulary_sizes
from data.preprocessor import Vocabularies
from models.classifier import TextClassifier
from models.names import PRECISIONS


def sizes(
    config: ClassificationConfig, vocabularies: Vocabularies, num_classes: int
) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    return {**vocabulary_sizes(vocabularies, config.characters), "num_classes": num_classes}


def build_classifier(
    config: ClassificationConfig, vocabularies: Vocabularies, num_classes: int
) -> TextClassifier:
    """The untrained model.

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
        "dtype": PRECISIONS[config.mixed_precision],
    }
    model = build(TextClassifier, settings)
    if config.vectors:
        set_vectors(model.get_layer("embedding"), vocabularies.tokens, config)
    return model
