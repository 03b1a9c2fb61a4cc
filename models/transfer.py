"""The weights of a language model in a classifier or another language model, those of a classifier
or a tagger in another one."""

import keras
import numpy as np

from data.text.special_tokens import END, FIRST_ENTRY, UNKNOWN
from models.classification.classifier import TextClassifier
from models.language_model.language_model import LanguageModel
from models.layers.embedding import set_vectors_of, vectors_of
from models.tagging.tagger import Tagger


def load_language_model_into_classifier(model: keras.Model, language_model: LanguageModel) -> None:
    """Gives a classifier the vectors and the recurrent stack of a language model (Dai & Le 2015,
    "Semi-supervised Sequence Learning").

    Args:
        model: has the layers `embedding`, whose vocabulary is that of the language model without
            its END, and `recurrent`, of the same shapes.
        language_model: trained.

    Raises:
        ValueError: the shapes differ.
    """
    vectors = np.delete(language_model.embedding.embeddings.numpy(), END, axis=0)
    model.get_layer("embedding").set_weights([vectors])
    model.get_layer("recurrent").set_weights(language_model.stack.get_weights())


def load_classifier_weights(
    model: TextClassifier, trained: TextClassifier, same_classes: bool
) -> None:
    """Gives a classifier all weights of another one but, if it has other classes, the last layer's.

    Args:
        model: has the vocabularies and the shapes of the other.
        trained: the other.
        same_classes: whether the logits mean the same.

    Raises:
        ValueError: the shapes differ.
    """
    # The same constructor made them, in the same order; one alone may have word dropout.
    ours, theirs = ([layer for layer in each.layers if layer.weights] for each in (model, trained))
    for own, other in zip(ours, theirs, strict=True):
        if same_classes or own.name != "logits":
            own.set_weights(other.get_weights())


def load_language_model_weights(model: LanguageModel, trained: LanguageModel) -> None:
    """Gives a language model all weights of another one but those that know its classes.

    Args:
        model: has the vocabulary and the shapes of the other.
        trained: the other.

    Raises:
        ValueError: the shapes differ.
    """
    for name in ("front_end", "stack", "projection", "output_layer"):
        if (layer := getattr(model, name)) is not None:
            layer.set_weights(getattr(trained, name).get_weights())


def load_tagger_weights(
    model: Tagger,
    trained: Tagger,
    tokens: tuple[list[str], list[str]],
    characters: tuple[list[str], list[str]],
) -> None:
    """Gives a tagger what another one knows of words, letters, case and sequences. What each makes
    of that, emissions and CRF, is its own: they may have different types.

    Args:
        model: has the shapes of the other but for its vocabularies, and its language model.
        trained: the other.
        tokens, characters: the vocabularies of both; ids count from 2.

    Raises:
        ValueError: the shapes differ.
    """
    _adopt_rows(model.get_layer("embedding"), trained.get_layer("embedding"), *tokens)
    names = {layer.name for layer in model.layers}
    for name in names & {"recurrent", "case", "language"}:
        model.get_layer(name).set_weights(trained.get_layer(name).get_weights())
    if "characters" in names:
        own, other = model.get_layer("characters"), trained.get_layer("characters")
        _adopt_rows(own.embedding, other.embedding, *characters)
        for weight, learned in zip(own.weights, other.weights, strict=True):
            if weight is not own.embedding.embeddings:
                weight.assign(learned)


def attach_language_model(model: Tagger, language_model: LanguageModel) -> None:
    """Gives a tagger the language model whose features it reads.

    Args:
        model: was made with `language_settings(language_model)`.
        language_model: trained.

    Raises:
        ValueError: the shapes differ.
    """
    layer = model.get_layer("language")
    layer.embedding.set_weights(language_model.embedding.get_weights())
    layer.stack.set_weights(language_model.stack.get_weights())


def language_settings(trained: Tagger | LanguageModel) -> dict | None:
    """The argument `language_model` of a `Tagger` that begins with a model."""
    if isinstance(trained, Tagger):
        return trained.settings["language_model"]
    names = ("vocabulary_size", "embedding_dim", "recurrent")
    return {name: trained.settings[name] for name in names}


def _adopt_rows(own, other, entries: list[str], known: list[str]) -> None:
    """Vectors of what both know, and of the unknown."""
    vectors, learned = vectors_of(own), vectors_of(other)
    places = {entry: row for row, entry in enumerate(known, FIRST_ENTRY)}
    pairs = [(UNKNOWN, UNKNOWN)]
    pairs += [
        (row, places[entry]) for row, entry in enumerate(entries, FIRST_ENTRY) if entry in places
    ]
    to, source = np.array(pairs).T
    vectors[to] = learned[source]
    set_vectors_of(own, vectors)
