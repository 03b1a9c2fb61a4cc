"""ONNX networks of models that write texts compute what the Keras models compute."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from models.language_model.language_model import LanguageModel
from models.onnx.language_model import language_model_network, state_names
from models.onnx.translator import decoder_network, encoder_network
from models.portable.session import Network
from models.seq2seq.encoder_decoder import Translator

# Sources of five tokens, of three and of END alone.
_SOURCES = np.array([[4, 5, 6, 7, 3], [8, 1, 3, 0, 0], [3, 0, 0, 0, 0]], np.int32)


def shake(model):
    """Gives every weight a value of its own, the same in every run and unlike in every gate."""
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def network_of(model):
    return Network(model.SerializeToString())


@pytest.mark.parametrize(
    ("cell", "options", "more"),
    [
        ("lstm", {}, {}),
        ("gru", {"num_layers": 2, "residual": True, "layer_normalization": True}, {"tied": True}),
        ("peephole_lstm", {"num_layers": 2}, {}),
    ],
)
def test_a_language_model_reads_prompts_and_goes_on_from_its_states(cell, options, more):
    recurrent = {"cell": cell, "units": 3, "use_cudnn": False, **options}
    model = shake(LanguageModel(9, 4, recurrent, **more))
    network = network_of(language_model_network(model))
    prompts = np.array([[2, 4, 5, 6], [2, 7, 0, 0]], np.int32)
    states = [np.full((2, 3), 0.1 * place, np.float32) for place in range(model.stack.num_states)]
    names = state_names(model.stack)
    found = network.run_all({"token_ids": prompts, **dict(zip(names, states, strict=True))})
    logits, after = model(tf.constant(prompts), [tf.constant(state) for state in states])
    np.testing.assert_allclose(found["logits"], np.asarray(logits)[[0, 1], [3, 1]], atol=1e-5)
    for name, state in zip(names, after, strict=True):
        np.testing.assert_allclose(found[f"next_{name}"], state, atol=1e-5)
    carried = {name: found[f"next_{name}"] for name in names}
    step = network.run_all({"token_ids": np.array([[8], [1]], np.int32), **carried})
    wanted, _ = model.step(tf.constant([8, 1]), after)
    np.testing.assert_allclose(step["logits"], wanted, atol=1e-5)


TRANSLATORS = {
    "none": {"attention": "none"},
    "dot": {"attention": "dot", "decoder_units": 5, "tied": False},
    "general": {"self_attention": True, "feeding": "attentional"},
    "additive": {"attention": "additive", "feeding": "context"},
    "concat": {"attention": "concat"},
    "local-m": {"attention": "local-m", "window": 1},
    "local-p": {"attention": "local-p", "window": 2},
    "copy": {"copy": True, "shared_embeddings": True},
}


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_translator_takes_the_steps_of_the_keras_model(name):
    recurrent = {"cell": "gru", "units": 3, "bidirectional": True, "use_cudnn": False}
    if name == "dot":
        recurrent = {"cell": "lstm", "units": 3, "num_layers": 2, "use_cudnn": False}
    model = shake(Translator(9, 9, 4, recurrent, **TRANSLATORS[name]))
    decoder = model.decoder
    encoded = network_of(encoder_network(model)).run_all({"token_ids": _SOURCES})
    memory, states = model.encode(tf.constant(_SOURCES))
    names = state_names(decoder.stack)
    for each, state in zip(names, states, strict=True):
        np.testing.assert_allclose(encoded[each], state, atol=1e-5)
    # Two rows read each source.
    carried = {each: np.repeat(encoded[each], 2, axis=0) for each in names}
    state = decoder.initial_state([tf.repeat(each, 2, axis=0) for each in states])
    if "fed" in state:
        carried["fed"] = np.zeros((6, decoder.size), np.float32)
    step = network_of(decoder_network(model))
    for position, ids in enumerate([[2, 2, 2, 2, 2, 2], [4, 5, 6, 7, 8, 1]]):
        ids = np.array(ids, np.int32)
        place = {"position": np.array([position], np.float32)}
        found = step.run_all(
            {"token_ids": ids, "source_ids": _SOURCES, **encoded, **carried, **place}
        )
        wanted, state = decoder.step(tf.constant(ids), state, memory)
        np.testing.assert_allclose(found["logits"], wanted, atol=1e-4)
        carried = {each: found[f"next_{each}"] for each in carried}
    assert ("weights" in found) == (name != "none")
