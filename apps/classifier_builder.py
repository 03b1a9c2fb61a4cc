"""From the options to an untrained text classifier."""

import keras

from apps.application import TrainingConfig
from apps.classification_config import ClassificationConfig
from data.errors import UserError
from data.preprocessor import Vocabularies
from data.vectors import read_vectors
from models.classifier import TextClassifier
from models.names import PRECISIONS


def sizes(
    config: ClassificationConfig, vocabularies: Vocabularies, num_classes: int
) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    # Ids 0 and 1, padding and unknown, stand before every vocabulary.
    return {
        "vocabulary_size": len(vocabularies.tokens) + 2,
        "character_vocabulary_size": len(vocabularies.characters) + 2 if config.characters else 0,
        "num_classes": num_classes,
    }


def check_sizes(
    config: ClassificationConfig, classes: tuple, vocabularies: Vocabularies, model: keras.Model
) -> None:
    """Raises ValueError if the files of a run do not belong together: answers would be wrong."""
    expected = sizes(config, vocabularies, len(classes))
    found = {name: model.settings[name] for name in expected}
    if found != expected:
        name = next(name for name in expected if found[name] != expected[name])
        raise ValueError(f"{name} is {found[name]}, not {expected[name]} as its other files say")


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
    try:
        model = TextClassifier(**settings)
    except ValueError as error:
        raise UserError(f"cannot build the model: {str(error).splitlines()[0]}") from error
    if config.vectors:
        set_vectors(model.get_layer("embedding"), vocabularies.tokens, config)
    return model


def recurrent_options(config: TrainingConfig) -> dict:
    """The arguments of `models.recurrent_stack.recurrent_stack`."""
    return {
        "cell": config.cell,
        "units": config.units,
        "num_layers": config.num_layers,
        "bidirectional": config.bidirectional,
        "dropout": config.dropout,
        "recurrent_dropout": config.recurrent_dropout,
        "weight_drop": config.weight_drop,
        "forget_bias": config.forget_bias,
        "chrono_length": config.chrono_length,
        "l1": config.l1,
        "l2": config.l2,
        "kernel_initializer": config.kernel_initializer,
        "recurrent_initializer": config.recurrent_initializer,
        "residual": config.residual,
        "layer_normalization": config.layer_normalization,
        # XLA cannot compile what cuDNN does.
        "use_cudnn": False if config.jit else "auto",
    }


def set_vectors(
    embedding: keras.layers.Embedding, tokens: list[str], config: TrainingConfig
) -> None:
    """Puts pretrained vectors into the first features of their tokens' rows; a token that the file
    has in lower case alone gets that vector.

    Raises:
        UserError: the file cannot be read, or its vectors do not fit.
    """
    vectors = read_vectors(config.vectors, [*tokens, *map(str.lower, tokens)])
    dimension = len(next(iter(vectors.values())))
    if dimension > config.embedding_dim or (
        config.freeze_vectors and dimension < config.embedding_dim
    ):
        raise UserError(
            f"{config.vectors} has vectors of {dimension} numbers, --embedding-dim is "
            f"{config.embedding_dim}. Pass --embedding-dim {dimension}"
        )
    matrix = embedding.embeddings.numpy()
    found = 0
    for row, token in enumerate(tokens, start=2):
        vector = vectors.get(token, vectors.get(token.lower()))
        if vector is not None:
            matrix[row, :dimension] = vector
            found += 1
    embedding.embeddings.assign(matrix)
    embedding.trainable = not config.freeze_vectors
    print(f"vectors: {found} of {len(tokens)} tokens are in {config.vectors}")
