import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from data.text.special_tokens import END, START
from models.seq2seq.copying import Copying, coverage_loss, scatter_attention
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.loss import TranslationLoss
from models.seq2seq.search import TranslationSearch

# Two sources of three tokens, the second one padded; one step of attention to each of them.
SOURCES = tf.constant([[5, 4, 5], [6, 3, 0]])
WEIGHTS = tf.constant([[[0.5, 0.2, 0.3]], [[0.9, 0.1, 0.0]]])


def test_the_attention_to_all_places_of_a_token_is_summed():
    found = scatter_attention(WEIGHTS, SOURCES, 7).numpy()
    assert_allclose(found[0, 0], [0, 0, 0, 0, 0.2, 0.8, 0], atol=1e-6)
    assert_allclose(found[1, 0], [0, 0, 0, 0.1, 0, 0, 0.9], atol=1e-6)


def test_an_answer_is_a_mixture_of_what_is_written_and_what_is_copied():
    layer = Copying()
    layer.build((None, None, 7), (None, None, 2))
    # The gate is sigmoid(1 * h_1 + 0): of h = (0, 5) a half, of h = (ln 3, 0) three quarters.
    layer.set_weights([np.array([[1.0], [0.0]]), np.array([0.0])])
    hidden = tf.constant([[[0.0, 5.0]], [[np.log(3.0), 0.0]]], tf.float32)
    logits = tf.zeros([2, 1, 7])
    found = np.exp(layer(logits, hidden, WEIGHTS, SOURCES).numpy())
    seventh = 1 / 7
    half = [seventh / 2] * 7
    assert_allclose(found[0, 0], np.add(half, [0, 0, 0, 0, 0.1, 0.4, 0]), atol=1e-6)
    assert_allclose(found[1, 0, 6], 0.75 * seventh + 0.25 * 0.9, atol=1e-6)
    assert_allclose(found.sum(axis=-1), 1.0, atol=1e-6)


def test_of_a_chosen_token_it_is_known_how_much_is_copied():
    layer = Copying()
    layer.build((None, None, 7), (None, None, 2))
    layer.set_weights([np.array([[1.0], [0.0]]), np.array([0.0])])
    hidden, logits = tf.zeros([2, 1, 2]), tf.zeros([2, 1, 7])
    found = layer.copied_shares(logits, hidden, WEIGHTS, SOURCES, tf.constant([[5], [4]]))
    # 0.8 copied and a seventh written, each by half; of what the source lacks nothing is copied.
    assert_allclose(found, [[0.8 / (0.8 + 1 / 7)], [0.0]], atol=1e-6)


def test_coverage_costs_what_the_attention_looks_at_again():
    weights = tf.constant([[[0.6, 0.4], [0.5, 0.5], [0.0, 1.0]]])
    # The second step looks again at min(0.5, 0.6) + min(0.5, 0.4), the third at min(1.0, 0.9).
    both = coverage_loss(weights, tf.constant([[True, True, True]]))
    assert_allclose(both, (0.0 + 0.9 + 0.9) / 3, atol=1e-6)
    padded = coverage_loss(weights, tf.constant([[True, True, False]]))
    assert_allclose(padded, 0.9 / 2, atol=1e-6)


def copier(**options):
    keras.utils.set_random_seed(0)
    recurrent = {"cell": "gru", "units": 8, "bidirectional": True}
    return Translator(12, 12, 8, recurrent, copy=True, shared_embeddings=True, **options)


def test_the_coverage_loss_counts_in_training_alone():
    inputs = {"token_ids": np.array([[4, 5, 3]]), "target_ids": np.array([[START, 4, 5]])}
    model = copier(coverage=2.0)
    model(inputs, training=True)
    (loss,) = model.losses
    weights = model.attention_weights(**inputs)
    assert_allclose(loss, 2.0 * coverage_loss(weights, tf.ones([1, 3], tf.bool)), atol=1e-6)
    model(inputs, training=False)
    assert model.losses == []


def test_a_copier_learns_to_repeat_what_it_has_never_read():
    generator = np.random.default_rng(0)
    # A source is one token, which the answer repeats; the last three are never trained on.
    tokens = generator.integers(4, 9, size=256)
    ends = np.full_like(tokens, END)
    inputs = {
        "token_ids": np.stack([tokens, ends], 1),
        "target_ids": np.stack([np.full_like(tokens, START), tokens], 1),
    }
    model = copier()
    model.compile(keras.optimizers.Adam(0.02), TranslationLoss(), jit_compile=False)
    model.fit(inputs, np.stack([tokens, ends], 1), batch_size=32, epochs=8, verbose=0)
    new = tf.constant([[9, END], [10, END], [11, END]])
    for width in (1, 2):
        ids, _ = TranslationSearch(beam_width=width, max_length=5)(model, new)
        assert_array_equal(ids[:, 0, :2], new)


@pytest.mark.parametrize(("source", "target"), [(12, 13), (13, 12)])
def test_two_vocabularies_cannot_be_copied_between(source, target):
    with pytest.raises(ValueError, match="copy needs one vocabulary"):
        Translator(source, target, 4, {"cell": "gru", "units": 3}, copy=True)
