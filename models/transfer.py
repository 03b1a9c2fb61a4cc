"""Copies the weights of trained models to new ones.

Those of a language model go to a classifier, a tagger, an encoder-decoder or another language
model, those of a classifier or a tagger to another one.
"""

from typing import Any

import keras
import numpy as np

from data.text.special_tokens import END, FIRST_ENTRY, UNKNOWN
from models.classification.classifier import TextClassifier
from models.language_model.language_model import LanguageModel
from models.layers.embedding import assign_vectors, get_vectors
from models.seq2seq.encoder_decoder import Translator
from models.tagging.tagger import Tagger


def load_language_model_into_classifier(model: keras.Model, language_model: LanguageModel) -> None:
    """Copies the embedding and the recurrent stack of a language model to a classifier (Dai & Le
    2015, "Semi-supervised Sequence Learning").

    Args:
        model: has a layer `embedding`, whose vocabulary is that of the language model without END,
            and a layer `recurrent`, both of the same shapes; or, for a language model of one layer
            with a second stack, bidirectional.
        language_model: the trained one.

    Raises:
        ValueError: the shapes differ.
    """
    vectors = np.delete(language_model.embedding.embeddings.numpy(), END, axis=0)
    model.get_layer("embedding").set_weights([vectors])
    stack = model.get_layer("recurrent")
    if stack.bidirectional:
        _load_directions(stack.layers[0], language_model)
    else:
        stack.set_weights(language_model.stack.get_weights())


def _load_directions(layer: keras.layers.Bidirectional, language_model: LanguageModel) -> None:
    """Copies the first layer of each stack of a language model to a bidirectional layer."""
    layer.forward_layer.set_weights(language_model.stack.layers[0].get_weights())
    if language_model.backward_stack is not None:
        layer.backward_layer.set_weights(language_model.backward_stack.layers[0].get_weights())


def load_language_model_into_translator(model: Translator, language_model: LanguageModel) -> None:
    """Copies the embedding and the recurrent layers of a language model to encoder and decoder
    (Ramachandran et al. 2017, "Unsupervised Pretraining for Sequence to Sequence Learning").

    Of an encoder that reads both ways, the forward direction of the first layer begins with those
    of the language model, and the backward one with its second stack, if it has one: what the other
    layers read is of another size.

    Args:
        model: has one embedding or two with the vocabulary of the language model, a decoder of the
            same shapes whose steps read nothing of the attention, and an encoder of the same cell
            and sizes.
        language_model: the trained one.

    Raises:
        ValueError: the shapes differ.
    """
    encoder, decoder, theirs = model.get_layer("encoder"), model.decoder, language_model.stack
    for embedding in (encoder.get_layer("embedding"), decoder.embedding):
        assign_vectors(embedding, get_vectors(language_model.embedding))
    decoder.stack.set_weights(theirs.get_weights())
    stack = encoder.get_layer("recurrent")
    if stack.bidirectional:
        _load_directions(stack.layers[0], language_model)
    else:
        stack.set_weights(theirs.get_weights())


def load_classifier_weights(
    model: TextClassifier, trained: TextClassifier, same_classes: bool
) -> None:
    """Copies the weights of another classifier; those of the last layer only if the classes agree.

    Args:
        model: has the vocabularies and the shapes of the trained one.
        trained: the trained one.
        same_classes: whether both have the same classes.

    Raises:
        ValueError: the shapes differ.
    """
    # The same constructor made both in the same order, except for layers without weights.
    targets, sources = ([layer for layer in m.layers if layer.weights] for m in (model, trained))
    for target, source in zip(targets, sources, strict=True):
        if same_classes or target.name != "logits":
            target.set_weights(source.get_weights())


def load_language_model_weights(model: LanguageModel, trained: LanguageModel) -> None:
    """Copies all weights of another language model except the class embedding, and those of a
    second stack only if both have one.

    Args:
        model: has the vocabulary and the shapes of the trained one.
        trained: the trained one.

    Raises:
        ValueError: the shapes differ.
    """
    names = ["front_end", "stack", "projection", "output_layer"]
    if trained.backward_stack is not None:
        names.append("backward_stack")
    for name in names:
        if (layer := getattr(model, name)) is not None:
            layer.set_weights(getattr(trained, name).get_weights())


def load_tagger_weights(
    model: Tagger,
    trained: Tagger,
    tokens: tuple[list[str], list[str]],
    characters: tuple[list[str], list[str]],
) -> None:
    """Copies the weights of another tagger except the emissions and the CRF, as the entity types
    may differ.

    Args:
        model: has the shapes of the trained one except for its vocabularies, and the same language
            model.
        trained: the trained one.
        tokens: the vocabularies of both, without the first two ids.
        characters: the same for characters.

    Raises:
        ValueError: the shapes differ.
    """
    _copy_known_rows(model.get_layer("embedding"), trained.get_layer("embedding"), *tokens)
    names = {layer.name for layer in model.layers}
    for name in names & {"recurrent", "case", "language"}:
        model.get_layer(name).set_weights(trained.get_layer(name).get_weights())
    if "characters" in names:
        target, source = model.get_layer("characters"), trained.get_layer("characters")
        _copy_known_rows(target.embedding, source.embedding, *characters)
        for weight, trained_weight in zip(target.weights, source.weights, strict=True):
            if weight is not target.embedding.embeddings:
                weight.assign(trained_weight)


def attach_language_model(model: Tagger, language_model: LanguageModel) -> None:
    """Copies a language model into the tagger that reads its features.

    Args:
        model: was made with `language_settings(language_model)`.
        language_model: the trained one.

    Raises:
        ValueError: the shapes differ.
    """
    layer = model.get_layer("language")
    layer.embedding.set_weights(language_model.embedding.get_weights())
    layer.stack.set_weights(language_model.stack.get_weights())
    if language_model.backward_stack is not None:
        layer.backward_stack.set_weights(language_model.backward_stack.get_weights())


def language_settings(trained: Tagger | LanguageModel) -> dict[str, Any] | None:
    """Returns the argument `language_model` of a `Tagger` that begins with a trained model."""
    settings: dict[str, Any] = trained.settings
    if isinstance(trained, Tagger):
        return settings["language_model"]
    names = ("vocabulary_size", "embedding_dim", "recurrent", "backward")
    return {name: settings[name] for name in names}


def _copy_known_rows(
    target: keras.layers.Embedding,
    source: keras.layers.Embedding,
    target_entries: list[str],
    source_entries: list[str],
) -> None:
    """Copies the vectors of the entries that both vocabularies have, and that of UNKNOWN."""
    vectors, trained_vectors = get_vectors(target), get_vectors(source)
    rows = {entry: row for row, entry in enumerate(source_entries, FIRST_ENTRY)}
    pairs = [(UNKNOWN, UNKNOWN)]
    pairs += [
        (row, rows[entry]) for row, entry in enumerate(target_entries, FIRST_ENTRY) if entry in rows
    ]
    target_rows, source_rows = np.array(pairs).T
    vectors[target_rows] = trained_vectors[source_rows]
    assign_vectors(target, vectors)
