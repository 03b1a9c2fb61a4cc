"""From the options to an untrained tagger."""

from pathlib import Path
from typing import Any

from apps.tasks.builder import build, recurrent_options, set_vectors, vocabulary_sizes
from apps.tasks.pretrained import TrainedModel
from apps.tasks.tagging.config import TaggingConfig
from data.errors import UserError
from data.examples.tags import bio_names
from data.messages import say
from data.text.special_tokens import UNKNOWN
from data.text.tokenizer_vocabulary import TokenizerVocabulary
from data.text.vocabulary import Vocabularies
from models.language_model.language_model import LanguageModel
from models.registry import PRECISIONS
from models.tagging.tagger import Tagger
from models.transfer import attach_language_model, language_settings, load_tagger_weights


def sizes(
    config: TaggingConfig, vocabularies: Vocabularies, types: tuple[str, ...]
) -> dict[str, Any]:
    """Returns the arguments of the model that follow from the data."""
    characters = config.characters != "none"
    return {**vocabulary_sizes(vocabularies, characters), "tags": bio_names(types)}


def build_tagger(
    config: TaggingConfig,
    vocabularies: Vocabularies,
    types: tuple[str, ...],
    open_rows: int = 0,
    beginning: TrainedModel | None = None,
) -> Tagger:
    """Builds the untrained model; the vectors of the last `open_rows` tokens stay as they are.

    Args:
        config: the options.
        vocabularies: learned from the training texts.
        types: of entities.
        open_rows: how many vectors stay.
        beginning: what the model begins with or reads, that of `--init-from`.

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
    trained: Any = beginning.model if beginning else None
    if trained is not None:
        settings["language_model"] = language_settings(trained)
    model = build(Tagger, settings)
    embedding = model.get_layer("embedding")
    if config.vectors:
        set_vectors(embedding, vocabularies.tokens, config)
    # An unknown word is what word dropout leaves of a known one.
    matrix = embedding.embeddings.numpy()
    matrix[UNKNOWN] = 0.0
    embedding.embeddings.assign(matrix)
    if isinstance(trained, LanguageModel):
        attach_language_model(model, trained)
        say(f"language-model features (frozen): {config.init_from}")
    elif beginning is not None:
        theirs = beginning.vocabularies
        tokens, letters = (
            (getattr(vocabularies, name), getattr(theirs, name)) for name in Vocabularies.FILES
        )
        load_tagger_weights(model, trained, tokens, letters)
        say(f"words, letters and recurrent layers: weights from {config.init_from}")
    return model


def check_tokenizer_vocabulary(
    vocabulary: TokenizerVocabulary | None, model: Tagger, folder: Path | str
) -> TokenizerVocabulary | None:
    """Returns the vocabulary of the language model that a tagger reads; None without one.

    Args:
        vocabulary: that in a run folder, or None.
        model: the tagger.
        folder: of the run, for the message.

    Raises:
        UserError: there is none, or it is of another model.
    """
    if (settings := model.settings["language_model"]) is None:
        return None
    found, read = vocabulary.vocabulary_size if vocabulary else 0, settings["vocabulary_size"]
    if found != read:
        raise UserError(
            f"{folder} has {found} tokens of a language model, its model reads {read}. Train again"
        )
    return vocabulary
