"""From the options to an untrained tagger."""

from apps.classifier_builder import recurrent_options, set_vectors
from apps.tagging_config import TaggingConfig
from data.errors import UserError
from data.preprocessor import Vocabularies
from data.tags import bio_names
from models.names import PRECISIONS
from models.tagger import Tagger


def sizes(
    config: TaggingConfig, vocabularies: Vocabularies, types: tuple[str, ...]
) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    # Ids 0 and 1, padding and unknown, stand before every vocabulary.
    characters = len(vocabularies.characters) + 2 if config.characters != "none" else 0
    return {
        "tags": bio_names(types),
        "vocabulary_size": len(vocabularies.tokens) + 2,
        "character_vocabulary_size": characters,
    }


def build_tagger(
    config: TaggingConfig, vocabularies: Vocabularies, types: tuple[str, ...]
) -> Tagger:
    """The untrained model.

    Raises:
        UserError: options that do not fit each other, or an unknown initializer.
    """
    settings = {
        **sizes(config, vocabularies, types),
        "embedding_dim": config.embedding_dim,
        "recurrent": recurrent_options(config),
        "head": config.head,
        "constrained": config.constrained,
        "dropout": config.dropout,
        "max_word_length": config.max_word_length,
        "case_features": config.case_features,
        "word_dropout": config.word_dropout,
        "dtype": PRECISIONS[config.mixed_precision],
    }
    if config.characters != "none":
        settings["characters"] = config.characters
    try:
        model = Tagger(**settings)
    except ValueError as error:
        raise UserError(f"cannot build the model: {str(error).splitlines()[0]}") from error
    embedding = model.get_layer("embedding")
    if config.vectors:
        set_vectors(embedding, vocabularies.tokens, config)
    # An unknown word is what word dropout leaves of a known one.
    matrix = embedding.embeddings.numpy()
    matrix[1] = 0.0
    embedding.embeddings.assign(matrix)
    return model
