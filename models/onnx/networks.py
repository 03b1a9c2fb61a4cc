"""Whole networks as ONNX models: classifiers of every kind, and taggers."""

import math
from typing import Any

import keras
import numpy as np
import onnx

from data.errors import UserError
from models.classification.ensemble import Ensemble
from models.classification.wide_classifier import WideClassifier
from models.layers.pooling import POOLINGS
from models.members import OfMembers
from models.onnx.graph import Graph
from models.onnx.layers import add_dense, add_poolings, add_vectors, count_real
from models.onnx.recurrent import add_stack, check_cell
from models.recurrent.stack import RecurrentStack
from models.tagging.ensemble import TaggerEnsemble
from models.tagging.language_features import LanguageFeatures
from models.tagging.tagger import Tagger


def check_network(model: keras.Model) -> None:
    """Refuses a model that ONNX has no operators for.

    Raises:
        UserError: it is one.
    """
    if isinstance(model, OfMembers) and not isinstance(model, Ensemble | TaggerEnsemble):
        raise UserError(
            "the mean of several models has an ONNX form of classifiers and taggers alone. Use "
            "--format savedmodel"
        )
    for member in model.members if isinstance(model, OfMembers) else [model]:
        settings = member.settings
        check_cell(settings["recurrent"]["cell"])
        if language := settings.get("language_model"):
            check_cell(language["recurrent"]["cell"])


def classifier_network(model: Any) -> onnx.ModelProto:
    """Returns the ONNX model of a classifier.

    Args:
        model: a `TextClassifier`, a `WideClassifier`, or an `Ensemble` of such.

    Returns:
        Its inputs are those of `models.onnx.layers.add_vectors`, and where there are linear models
        their logits, `linear` <float32>[models, batch, num_classes]; its output is `logits`
        <float32>[batch, num_classes].
    """
    graph = Graph()
    members = model.members if isinstance(model, Ensemble) else [model]
    linear = linear_models(model)
    logits = [_add_classifier(graph, member, linear) for member in members]
    output = logits[0]
    if isinstance(model, Ensemble):
        output = _add_mean_logits(graph, logits, model.multi_label)
    size = model.settings["num_classes"]
    return graph.to_model(logits=(output, ("batch", size)))


def linear_models(model: Any) -> list[Any]:
    """Returns the linear models of n-grams in a classifier, those of all members."""
    members = model.members if isinstance(model, Ensemble) else [model]
    return [member.ngrams for member in members if isinstance(member, WideClassifier)]


def _add_classifier(graph: Graph, model: Any, linear_models: list[Any]) -> str:
    recurrent = model.recurrent if isinstance(model, WideClassifier) else model
    x = add_vectors(graph, recurrent)
    x = add_stack(graph, recurrent.get_layer("recurrent"), x, count_real(graph, "token_ids"))
    layers = [
        next(layer for layer in recurrent.layers if type(layer) is POOLINGS[name])
        for name in recurrent.settings["pooling"]
    ]
    pooled = add_poolings(graph, layers, x, recurrent.settings["recurrent"]["units"])
    logits = add_dense(graph, recurrent.get_layer("logits"), pooled)
    if not isinstance(model, WideClassifier):
        return logits
    size = model.settings["num_classes"]
    linear = graph.input("linear", "float32", ("models", "batch", size))
    place = graph.constant(linear_models.index(model.ngrams), "int64")
    return graph.add("Add", logits, graph.add("Gather", linear, place))


def _add_mean_logits(graph: Graph, logits: list[str], multi_label: bool) -> str:
    """Adds what `models.classification.ensemble.mean_logits` computes."""
    axis = graph.constant([0], "int64")

    def add_log_sum(parts: list[str]) -> str:
        rows = [graph.add("Unsqueeze", part, axis) for part in parts]
        stacked = graph.add("Concat", *rows, axis=0)
        return graph.add("ReduceLogSumExp", stacked, axis, keepdims=0)

    def add_log_sigmoid(x: str) -> str:
        return graph.add("Neg", graph.add("Softplus", graph.add("Neg", x)))

    if multi_label:
        yes = add_log_sum([add_log_sigmoid(each) for each in logits])
        no = add_log_sum([add_log_sigmoid(graph.add("Neg", each)) for each in logits])
        return graph.add("Sub", yes, no)
    total = add_log_sum([graph.add("LogSoftmax", each, axis=-1) for each in logits])
    return graph.add("Sub", total, graph.constant(math.log(len(logits))))


def tagger_network(model: Tagger | TaggerEnsemble) -> onnx.ModelProto:
    """Returns the ONNX model of a tagger, or of the mean of several.

    Returns:
        Its inputs are those of `models.onnx.layers.add_vectors`, and where it reads a language
        model `language_ids` <int32>[batch, 1 + time], START first; its output is `emissions`
        <float32>[batch, time, tags], anything behind the end of a text.
    """
    graph = Graph()
    members = model.members if isinstance(model, TaggerEnsemble) else [model]
    emissions = [_add_emissions(graph, member) for member in members]
    x = emissions[0]
    if len(members) > 1:
        is_crf = model.crf is not None
        x = graph.add("Mean", *emissions) if is_crf else _add_mean_logits(graph, emissions, False)
    rows = graph.add("Transpose", x, perm=[1, 0, 2])
    size = len(model.settings["tags"])
    return graph.to_model(emissions=(rows, ("batch", "time", size)))


def _add_language(graph: Graph, layer: LanguageFeatures) -> str:
    """Adds what a frozen language model says of each word, <float32>[time, batch, units]."""
    ids = graph.input("language_ids", "int32", ("batch", "language_time"))
    table = graph.constant(np.asarray(layer.embedding.embeddings))
    lengths = count_real(graph, ids)

    def add_features(stack: RecurrentStack, ids: str) -> str:
        x = graph.add("Transpose", graph.add("Gather", table, ids), perm=[1, 0, 2])
        return _add_rest(graph, add_stack(graph, stack, x, lengths), 0)

    features = add_features(layer.stack, ids)
    if layer.backward_stack is None:
        return features
    # START stays before the words, whose order is the other one.
    words = graph.add("Cast", lengths, to=7)
    words = graph.add("Sub", words, graph.constant(1, "int64"))
    rest = _add_rest(graph, ids, 1)
    first = graph.add("Slice", ids, *(graph.constant([place], "int64") for place in (0, 1, 1)))
    back = graph.add("ReverseSequence", rest, words, batch_axis=0, time_axis=1)
    backward = add_features(layer.backward_stack, graph.add("Concat", first, back, axis=1))
    backward = graph.add("ReverseSequence", backward, words, batch_axis=1, time_axis=0)
    return graph.add("Concat", features, backward, axis=-1)


def _add_rest(graph: Graph, x: str, axis: int) -> str:
    """Adds what follows the first place of an axis."""
    return graph.add(
        "Slice", x, *(graph.constant([place], "int64") for place in (1, 2**31 - 1, axis))
    )


def _add_emissions(graph: Graph, model: Tagger) -> str:
    """Adds a tagger, and returns its emissions <float32>[time, batch, tags]."""
    x = add_vectors(graph, model)
    if model.settings["language_model"]:
        x = graph.add("Concat", x, _add_language(graph, model.get_layer("language")), axis=-1)
    x = add_stack(graph, model.get_layer("recurrent"), x, count_real(graph, "token_ids"))
    return add_dense(graph, model.get_layer("emissions"), x)


def crf_weights(model: Tagger | TaggerEnsemble) -> dict[str, np.ndarray]:
    """Returns `transitions`, `start` and `end` of a tagger's CRF, with its constraints; none for
    the head `softmax`."""
    if model.crf is None:
        return {}
    weights = model.crf.constrained_weights()._asdict()
    return {name: np.asarray(value) for name, value in weights.items()}
