"""ONNX networks compute what the Keras models compute that they are written from."""

import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from models.classification.classifier import TextClassifier
from models.classification.ensemble import Ensemble
from models.classification.ngrams import NgramTerms
from models.classification.wide_classifier import WideClassifier
from models.tagging.ensemble import TaggerEnsemble
from models.tagging.tagger import Tagger

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from models.onnx.networks import (
    check_network,
    classifier_network,
    crf_weights,
    linear_models,
    tagger_network,
)
from models.onnx.quantize import quantize
from models.portable.crf import Crf
from models.portable.ngrams import LinearModel
from models.portable.session import Network

# Texts of one token and of many, padded behind.
_IDS = np.array([[2, 3, 4, 5, 6, 7], [2, 8, 1, 0, 0, 0], [2, 0, 0, 0, 0, 0]], np.int32)
_LETTERS = np.array([[0, 0, 0], [3, 4, 5], [2, 1, 0], [4, 0, 0]], np.int32)
_WORDS = np.array([[1, 2, 3, 1, 2, 1], [1, 3, 2, 0, 0, 0], [1, 0, 0, 0, 0, 0]], np.int32)


def shake(model, seed=0):
    """Gives every weight a value of its own, the same in every run and unlike in every gate."""
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def make_classifier(cell="gru", seed=0, **options):
    recurrent = {"cell": cell, "units": 3, "use_cudnn": False, **options.pop("recurrent", {})}
    return shake(TextClassifier(9, 2, 4, recurrent, **options), seed)


def logits_of(model, **inputs):
    network = Network(classifier_network(model).SerializeToString())
    return network.run({"token_ids": _IDS, **inputs})


def wanted_of(model, **inputs):
    return np.asarray(model({"token_ids": _IDS, **inputs}, training=False))


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru", "peephole_lstm", "coupled_lstm"])
@pytest.mark.parametrize("both", [False, True], ids=["one way", "both ways"])
def test_every_cell_has_its_weights_in_the_order_of_onnx(cell, both):
    model = make_classifier(cell, recurrent={"bidirectional": both}, pooling=("last",))
    np.testing.assert_allclose(logits_of(model), wanted_of(model), atol=1e-5)


def test_poolings_are_joined_and_see_no_padding():
    poolings = ("attention", "mean", "last", "max")
    model = make_classifier(recurrent={"bidirectional": True}, pooling=poolings)
    np.testing.assert_allclose(logits_of(model), wanted_of(model), atol=1e-5)


def test_a_stack_has_residual_connections_and_norms():
    options = {"num_layers": 3, "residual": True, "layer_normalization": True}
    model = make_classifier("lstm", recurrent=options, open_rows=2)
    np.testing.assert_allclose(logits_of(model), wanted_of(model), atol=1e-5)


def test_letters_are_read_of_distinct_words_alone():
    model = make_classifier(character_vocabulary_size=6, max_word_length=3)
    found = logits_of(model, character_ids=_LETTERS, words=_WORDS)
    wanted = wanted_of(model, character_ids=_LETTERS[_WORDS])
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("multi_label", [False, True])
def test_an_ensemble_means_probabilities(multi_label):
    models = [make_classifier(cell, seed) for seed, cell in enumerate(("gru", "lstm"))]
    ensemble = Ensemble.from_models(models, multi_label)
    np.testing.assert_allclose(logits_of(ensemble), wanted_of(ensemble), atol=1e-5)


def make_wide(seed):
    layer = NgramTerms(9, 2, 4, name="ngrams")
    layer.build()
    # "3", "8", "3 4" and "3 4 5" as numbers of a key with nine digits.
    keys = np.array([3 * 81, 3 * 81 + 4 * 9, 3 * 81 + 4 * 9 + 5, 8 * 81])
    coefficients = np.random.default_rng(seed).normal(size=(4, 2))
    layer.set_weights([keys, coefficients, np.array([0.5, -0.5])])
    return WideClassifier.from_models(make_classifier(seed=seed), layer, 0.7)


def test_the_linear_models_of_an_ensemble_keep_their_places():
    ensemble = Ensemble.from_models([make_wide(0), make_wide(1)], multi_label=False)
    models = [
        LinearModel(*map(np.asarray, (each.keys, each.coefficients, each.bias)), 9)
        for each in linear_models(ensemble)
    ]
    rows = [row[row > 0] for row in _IDS]
    linear = np.stack([model.logits(rows) for model in models])
    np.testing.assert_allclose(logits_of(ensemble, linear=linear), wanted_of(ensemble), atol=1e-5)


@pytest.mark.parametrize("characters", ["convolution", "recurrent"])
@pytest.mark.parametrize("head", ["crf", "softmax"])
@pytest.mark.parametrize("members", [1, 2])
def test_a_tagger_gives_the_same_tags_and_probabilities(characters, head, members):
    if members > 1 and characters == "recurrent":
        pytest.skip("members read letters as a single tagger does")
    taggers = [
        shake(
            Tagger(
                ("O", "B-X", "I-X"),
                9,
                4,
                {"cell": "lstm", "units": 3, "bidirectional": True, "use_cudnn": False},
                head=head,
                character_vocabulary_size=6,
                max_word_length=3,
                characters=characters,
            ),
            seed,
        )
        for seed in range(members)
    ]
    model = TaggerEnsemble.from_models(taggers) if members > 1 else taggers[0]
    cases = np.where(_IDS > 0, 1 + _IDS % 8, 0).astype(np.int32)
    inputs = {"token_ids": _IDS, "case_ids": cases}
    network = Network(tagger_network(model).SerializeToString())
    found = network.run({**inputs, "character_ids": _LETTERS, "words": _WORDS})
    wanted = model({**inputs, "character_ids": _LETTERS[_WORDS]}, training=False)
    real = _IDS > 0
    np.testing.assert_allclose(found[real], np.asarray(wanted)[real], atol=1e-5)
    if head == "softmax":
        assert not crf_weights(model)
        return
    crf, mask = Crf(**crf_weights(model)), tf.constant(real)
    np.testing.assert_array_equal(crf.best_paths(found, real), model.crf.decode(wanted, mask))
    np.testing.assert_allclose(
        crf.marginals(found, real), model.crf.marginals(wanted, mask), atol=1e-5
    )


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "both ways"])
def test_a_tagger_reads_a_language_model(backward):
    stack = {"cell": "lstm", "units": 3, "num_layers": 2, "use_cudnn": False}
    language = {"vocabulary_size": 8, "embedding_dim": 5, "recurrent": stack, "backward": backward}
    model = shake(Tagger(("O", "B-X", "I-X"), 9, 4, stack, language_model=language))
    inputs = {"token_ids": _IDS, "case_ids": np.where(_IDS > 0, 1, 0).astype(np.int32)}
    words = np.array([[4, 5, 6, 7, 1, 4], [7, 6, 5, 0, 0, 0], [5, 0, 0, 0, 0, 0]], np.int32)
    start = np.full((3, 1), 2, np.int32)
    network = Network(tagger_network(model).SerializeToString())
    found = network.run({**inputs, "language_ids": np.concatenate([start, words], axis=1)})
    wanted = np.asarray(model({**inputs, "language_ids": words}, training=False))
    np.testing.assert_allclose(found[_IDS > 0], wanted[_IDS > 0], atol=1e-5)


@pytest.mark.parametrize("cell", ["layer_norm_lstm", "layer_norm_gru"])
def test_a_cell_without_an_operator_is_refused_by_name(cell):
    ensemble = Ensemble.from_models([make_classifier(), make_classifier(cell)], False)
    with pytest.raises(UserError, match=f"no operator for the cell '{cell}'.*savedmodel"):
        check_network(ensemble)


def test_rounded_weights_take_a_quarter_of_the_room_and_change_logits_a_little():
    model = make_classifier("lstm", open_rows=3)
    exact = classifier_network(model)
    rounded = quantize(exact, "int8")
    kinds = {weight.data_type for weight in rounded.graph.initializer if len(weight.dims) > 1}
    assert 3 in kinds  # int8
    found = Network(rounded.SerializeToString()).run({"token_ids": _IDS})
    wanted = wanted_of(model)
    assert not np.array_equal(found, wanted)
    np.testing.assert_allclose(found, wanted, atol=0.1)
