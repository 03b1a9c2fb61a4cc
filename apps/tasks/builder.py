"""What builders and loaders of models share: options, sizes, pretrained vectors, mistakes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras

from apps.config.groups import RecurrentOptions, RunOptions, VectorOptions
from data.errors import UserError
from data.files.json_files import cannot_read
from data.messages import say
from data.text.special_tokens import FIRST_ENTRY
from data.text.vocabulary import Vocabularies
from data.vectors import read_first_words, read_vectors
from models.layers.embedding import assign_vectors, get_vectors
from models.members import OfMembers
from models.model_archive import read_model
from models.registry import RECURRENT_OPTIONS


def build(model_class: type, settings: dict) -> keras.Model:
    """Returns a model from the arguments of its class.

    Raises:
        UserError: they do not fit each other, or name an unknown initializer.
    """
    try:
        return model_class(**settings)
    except ValueError as error:
        raise UserError(f"cannot build the model: {str(error).splitlines()[0]}") from error


def load(path: Path, sizes: dict) -> keras.Model:
    """Returns a trained model from its file.

    Args:
        path: the `.keras` file.
        sizes: arguments of the model as the other files of the run say.

    Raises:
        UserError: the file cannot be read, is damaged, holds something else than a model of this
            suite, or belongs to other files.
    """
    try:
        return read_model(path, partial(_check_sizes, sizes))
    except OSError as error:
        raise cannot_read(
            path, error, "Check the file, and the folder for temporary files"
        ) from None
    except Exception as error:  # whatever a damaged file makes Keras raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"cannot load {path}: {reason}. Train again") from error


def check_same_vocabularies(vocabularies: Sequence[object]) -> None:
    """Refuses members of an ensemble that read texts differently.

    Args:
        vocabularies: all that a member reads texts by, of each.

    Raises:
        UserError: they do.
    """
    if any(each != vocabularies[0] for each in vocabularies):
        raise UserError(
            "the members have different vocabularies: the vectors' file has changed since the "
            "training began. Train anew with --restart"
        )


def check_single(model: keras.Model, run: str | None, seed: int) -> None:
    """Refuses to begin a training with the mean of several models.

    Args:
        model: what it is to begin with.
        run: that holds it.
        seed: of its first member.

    Raises:
        UserError: it is such a mean.
    """
    if isinstance(model, OfMembers):
        raise UserError(
            f"{run} holds the mean of {len(model.members)} models. Begin with one of them, such as "
            f"--init-from {run}/seeds/{seed}, or with one after the other by --seeds "
            f"{len(model.members)}"
        )


def _check_sizes(expected: dict, model: keras.Model) -> None:
    """Raises ValueError if the files of a run do not belong together: answers would be wrong."""
    for name, value in expected.items():
        found = model.settings[name]
        if (tuple(found) if isinstance(found, list) else found) != value:
            raise ValueError(f"{name} is {found}, not {value} as its other files say")


def vocabulary_sizes(vocabularies: Vocabularies, characters: bool) -> dict[str, int]:
    """Returns the arguments of a model that follow from its vocabularies."""
    return {
        "vocabulary_size": vocabularies.vocabulary_size,
        "character_vocabulary_size": vocabularies.character_vocabulary_size if characters else 0,
    }


def with_open_vocabulary(
    vocabularies: Vocabularies, config: VectorOptions
) -> tuple[Vocabularies, int]:
    """Returns the vocabularies with the words that `--open-vocabulary` adds, and how many.

    Raises:
        UserError: there are no vectors to take them from.
    """
    if not config.open_vocabulary:
        return vocabularies, 0
    if not config.vectors:
        raise UserError("--open-vocabulary needs a file of vectors. Add --vectors")
    joined = vocabularies.with_words(read_first_words(config.vectors, config.open_vocabulary))
    return joined, len(joined.tokens) - len(vocabularies.tokens)


def recurrent_options(config: RecurrentOptions) -> dict:
    """Returns the arguments of `models.recurrent.stack.recurrent_stack`."""
    assert isinstance(config, RunOptions)
    return {
        **{name: getattr(config, name) for name in RECURRENT_OPTIONS},
        # XLA cannot compile what cuDNN does.
        "use_cudnn": False if config.jit else "auto",
    }


def set_vectors(
    embedding: keras.layers.Embedding, tokens: list[str], config: VectorOptions
) -> None:
    """Puts pretrained vectors into the first features of their tokens' rows; a token that the file
    has in lower case alone gets that vector.

    Raises:
        UserError: the file cannot be read, or its vectors do not fit.
    """
    assert isinstance(config, RecurrentOptions) and config.vectors is not None
    vectors = read_vectors(config.vectors, [*tokens, *map(str.lower, tokens)])
    dimension = len(next(iter(vectors.values())))
    if dimension > config.embedding_dim or (
        config.freeze_vectors and dimension < config.embedding_dim
    ):
        raise UserError(
            f"{config.vectors} has vectors of {dimension} numbers, --embedding-dim is "
            f"{config.embedding_dim}. Pass --embedding-dim {dimension}"
        )
    matrix = get_vectors(embedding)
    found = 0
    for row, token in enumerate(tokens, FIRST_ENTRY):
        vector = vectors.get(token, vectors.get(token.lower()))
        if vector is not None:
            matrix[row, :dimension] = vector
            found += 1
    assign_vectors(embedding, matrix)
    embedding.trainable = not config.freeze_vectors
    say(f"vectors: {found} of {len(tokens)} tokens are in {config.vectors}")
