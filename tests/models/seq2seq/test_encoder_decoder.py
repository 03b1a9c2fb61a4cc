import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.layers.initial_states import InitialStatesFromEncoder
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.loss import TranslationLoss, smoothed_cross_entropy

INPUTS = {
    "token_ids": np.array([[4, 5, 6, 3], [5, 3, 0, 0]], np.int32),
    "target_ids": np.array([[2, 4, 5, 6], [2, 5, 0, 0]], np.int32),
}
Y = np.array([[4, 5, 6, 3], [5, 3, 0, 0]], np.int32)
RECURRENT = {"cell": "lstm", "units": 3, "bidirectional": True}


def translator(**options):
    keras.utils.set_random_seed(0)
    settings = {
        "source_vocabulary_size": 7,
        "target_vocabulary_size": 7,
        "embedding_dim": 4,
        "recurrent": RECURRENT,
    }
    model = Translator(**{**settings, **options})
    generator = np.random.default_rng(1)
    # Weights large enough that attention and words make a difference.
    model.set_weights([w + generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


VARIANTS = {
    "general": {},
    "none": {"attention": "none", "tied": False},
    "dot, two layers": {
        "attention": "dot",
        "decoder_units": 5,
        "recurrent": {**RECURRENT, "num_layers": 2, "residual": True},
    },
    "local-m, shared": {"attention": "local-m", "window": 1, "shared_embeddings": True},
    "local-p, GRU": {"attention": "local-p", "recurrent": {"cell": "gru", "units": 3}},
    "input feeding": {"attention": "concat", "feeding": "attentional"},
    "additive, before the cell": {"attention": "additive", "feeding": "context"},
    "self-attention": {"self_attention": True, "tied": False},
    "copying": {"copy": True, "coverage": 0.5, "shared_embeddings": True},
    "copying, input feeding": {"copy": True, "feeding": "attentional", "attention": "local-m"},
}
variants = pytest.mark.parametrize("name", VARIANTS)


@functools.cache
def variant(name):
    """A model that tests only ask."""
    return translator(**VARIANTS[name])


@variants
def test_single_steps_give_what_the_teacher_forced_pass_gives(name):
    model = variant(name)
    whole = model(INPUTS).numpy()
    memory, states = model.encode(INPUTS["token_ids"])
    state = model.decoder.initial_state(states)
    for step in range(4):
        logits, state = model.decoder.step(INPUTS["target_ids"][:, step], state, memory)
        assert_allclose(logits, whole[:, step], atol=1e-5)


@variants
def test_several_rows_of_one_source_share_its_memory(name):
    model = variant(name)
    memory, states = model.encode(INPUTS["token_ids"])
    state = tf.nest.map_structure(
        lambda x: tf.repeat(x, 2, axis=0), model.decoder.initial_state(states)
    )
    ids = np.array([4, 5, 6, 4], np.int32)
    logits, _ = model.decoder.step(ids, state, memory)
    for row in range(4):
        source = INPUTS["token_ids"][row // 2][None]
        memory, states = model.encode(source)
        alone, _ = model.decoder.step(
            ids[row : row + 1], model.decoder.initial_state(states), memory
        )
        assert_allclose(logits[row], alone[0], atol=1e-5)


@variants
def test_padding_does_not_change_the_logits(name):
    model = variant(name)
    padded = {name: np.pad(ids, [(0, 0), (0, 3)]) for name, ids in INPUTS.items()}
    assert_allclose(model(padded)[:, :4], model(INPUTS), atol=1e-5)
    weights = model.attention_weights(**INPUTS).numpy()
    assert_array_equal(weights[1, :, 2:], 0.0)
    attention = VARIANTS[name].get("attention")
    total = 0.0 if attention == "none" else 1.0
    if attention != "local-p":
        assert_allclose(weights.sum(axis=-1), total, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [{}, {"attention": "additive", "feeding": "context"}, {"scheduled_sampling": 0.5}],
    ids=["parallel", "step by step", "scheduled sampling"],
)
def test_training_lowers_the_loss(options):
    model = translator(**options, dropout=0.1, sampling_steps=5)
    model.compile(keras.optimizers.Adam(0.05), TranslationLoss(0.1), run_eagerly=True)
    losses = model.fit(INPUTS, Y, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]


def test_with_scheduled_sampling_at_its_end_the_true_words_are_not_read():
    model = translator(scheduled_sampling=1.0, sampling_steps=1)
    model.decoder.sampling.done.assign(1.0)
    other = np.array([[2, 6, 6, 4], [2, 4, 6, 6]], np.int32)
    ours, theirs = (
        model({**INPUTS, "target_ids": ids}, training=True) for ids in (INPUTS["target_ids"], other)
    )
    assert_allclose(ours, theirs, atol=1e-6)
    assert model.decoder.sampling.done.numpy() == 3.0
    # Outside of a training they are.
    assert np.abs(model(INPUTS) - model({**INPUTS, "target_ids": other})).max() > 0.01


@pytest.mark.parametrize("name", ["dot, two layers", "local-m, shared", "input feeding"])
def test_it_saves_and_comes_back(name, tmp_path):
    model = variant(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_allclose(loaded(INPUTS), model(INPUTS), atol=1e-6)
    assert loaded.count_params() == model.count_params()


def test_tied_and_shared_embeddings_are_one_matrix():
    tied, own, shared = (
        translator(**options).count_params()
        for options in ({}, {"tied": False}, {"shared_embeddings": True})
    )
    # 6 units give an untied output layer 7 * 6 weights; tied, the vector before it is shorter.
    vector = (4 - 6) * (12 + 1)
    assert own - tied == 7 * 6 - vector
    assert tied - shared == 7 * 4


@pytest.mark.parametrize("options", [{}, {"feeding": "attentional", "scheduled_sampling": 0.5}])
def test_in_half_precision_the_logits_are_float32(options):
    model = translator(dtype="mixed_bfloat16", **options)
    assert model(INPUTS, training=True).dtype == tf.float32


def test_only_training_steps_multiply_with_the_output_matrix_in_half_precision():
    model = translator(dtype="mixed_bfloat16")
    bias = model.decoder.logits.bias
    bias.assign(tf.zeros_like(bias))
    # There is no dropout.
    training, inference = (model(INPUTS, training=training) for training in (True, False))
    assert_allclose(training, inference, atol=0.05)
    assert_array_equal(training, tf.cast(tf.cast(training, tf.bfloat16), tf.float32))
    assert not np.array_equal(training, inference)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="feeding 'context' needs an attention"):
        translator(attention="none", feeding="context")
    with pytest.raises(ValueError, match="shared_embeddings needs one vocabulary"):
        translator(shared_embeddings=True, source_vocabulary_size=8)
    with pytest.raises(ValueError, match="Unknown feeding 'input'"):
        translator(feeding="input")


# Two layers of an LSTM in both directions, states of one number: h and c forward, then backward.
def test_the_bridge_joins_both_directions_by_hand():
    bridge = InitialStatesFromEncoder(1, num_layers=2, directions=2)
    states = [np.array([[float(n)]], "float32") for n in range(1, 9)]
    bridge(states)
    one_two = np.array([[0.1], [0.2]])
    bridge.set_weights([one_two, np.zeros(1)] * 4)
    expected = np.tanh([0.1 * a + 0.2 * b for a, b in ((1, 3), (2, 4), (5, 7), (6, 8))])
    assert_allclose(np.ravel(bridge(states)), expected, rtol=1e-6)


def test_the_smoothed_loss_is_the_cross_entropy_to_the_smoothed_distribution():
    logits = tf.Variable(np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32"))
    ids = tf.constant([[1, 2, 4], [3, 0, 1]])
    gradients = []
    for loss in (
        lambda: smoothed_cross_entropy(ids, logits, 0.2),
        lambda: keras.losses.categorical_crossentropy(
            tf.one_hot(ids, 5), logits, from_logits=True, label_smoothing=0.2
        ),
    ):
        with tf.GradientTape() as tape:
            values = loss()
            total = tf.reduce_sum(values * [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        gradients.append((values, tape.gradient(total, logits)))
    for ours, theirs in zip(*gradients, strict=True):
        assert_allclose(ours, theirs, atol=1e-5)


# Of uniform logits every word costs log 7; five words in two rows.
def test_the_mean_over_rows_is_the_mean_over_words():
    targets = np.array([[4, 5, 6, 3], [3, 0, 0, 0]], np.int32)
    losses = TranslationLoss(reduction=None)(targets, np.zeros((2, 4, 7), "float32"))
    assert_allclose(losses, np.log(7) * np.array([4, 1]) / 2.5, rtol=1e-6)
