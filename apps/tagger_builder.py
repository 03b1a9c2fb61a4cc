"""From the options to an untrained tagger."""

from pathlib import Path

from apps.model_builder import build, load, recurrent_options, set_vectors, vocabulary_sizes
from apps.run_folder import MODEL
from apps.tagging_config import TaggingConfig
from data.preprocessor import Vocabularies
from data.tags import bio_names
from models.names import PRECISIONS
from models.tagger import Tagger
from models.transfer import adopt


def sizes(
    config: TaggingConfig, vocabularies: Vocabularies, types: tuple[str, ...]
) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    characters = config.characters != "none"
    return {**vocabulary_sizes(vocabularies, characters), "tags": bio_names(types)}


def build_tagger(
    config: TaggingConfig, vocabularies: Vocabularies, types: tuple[str, ...], open_rows: int = 0
) -> Tagger:
    """The untrained model; the vectors of the last `open_rows` tokens stay as they are.

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
        "open_rows": open_rows,
        "dtype": PRECISIONS[config.mixed_precision],
    }
    if config.characters != "none":
        settings["characters"] = config.characters
    model = build(Tagger, settings)
    embedding = model.get_layer("embedding")
    if config.vectors:
        set_vectors(embedding, vocabularies.tokens, config)
    # An unknown word is what word dropout leaves of a known one.
    matrix = embedding.embeddings.numpy()
    matrix[1] = 0.0
    embedding.embeddings.assign(matrix)
    if config.init_from:
        run = Path(config.init_from)
        theirs = Vocabularies.load(run)
        trained = load(run / MODEL, {"vocabulary_size": len(theirs.tokens) + 2})
        tokens, letters = (
            (getattr(vocabularies, name), getattr(theirs, name)) for name in Vocabularies.FILES
        )
        adopt(model, trained, tokens, letters)
        print(f"words, letters and recurrent layers: those of {config.init_from}")
    return model
