import numpy as np
import pytest
import tensorflow as tf

from models.layers.characters import CHARACTER_ENCODERS
from models.layers.distinct_words import encode_distinct_words

WORDS = np.array([[2, 3, 0, 0], [4, 0, 0, 0], [2, 3, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0]], np.int32)


def test_each_distinct_word_is_encoded_once_without_the_padding_that_all_have():
    seen = []

    def encode(ids):
        seen.append(ids.numpy().tolist())
        return tf.cast(tf.reduce_sum(ids, axis=1, keepdims=True), tf.float32)

    assert encode_distinct_words(tf.constant(WORDS), encode).numpy().tolist() == [
        [5],
        [4],
        [5],
        [0],
        [4],
    ]
    assert seen == [[[2, 3], [4, 0], [0, 0]]]


@pytest.mark.parametrize(("words", "rows"), [(1, 8), (8, 8), (9, 16), (17, 24), (25, 32), (0, 8)])
def test_the_encoder_sees_few_numbers_of_words(words, rows):
    seen = []

    def encode(ids):
        seen.append(ids.shape[0])
        return tf.cast(ids, tf.float32)

    ids = np.arange(2, 2 + words, dtype=np.int32)[:, None]
    encoded = encode_distinct_words(tf.constant(ids), encode, few_counts=True)
    np.testing.assert_array_equal(encoded, ids)
    assert seen == [rows]


@pytest.mark.parametrize("name", CHARACTER_ENCODERS)
def test_values_and_gradients_are_those_of_words_where_they_stand(name):
    layer = CHARACTER_ENCODERS[name](7, embedding_dim=3)
    ids = tf.constant(np.random.default_rng(0).integers(2, 4, [3, 6, 2]), tf.int32)
    ids = tf.pad(ids, [[0, 0], [0, 1], [0, 3]])
    target = tf.constant(np.random.default_rng(1).normal(size=[3, 7, 1]), tf.float32)

    def loss_and_gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(ids) * target)
        gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])
        return [loss, *map(tf.convert_to_tensor, gradients)]

    layer(ids)
    distinct = loss_and_gradients()
    # XLA's shapes are fixed: there each word is encoded where it stands.
    in_place = tf.function(loss_and_gradients, jit_compile=True, autograph=False)()
    for one, other in zip(distinct, in_place, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_a_graph_of_any_size_is_traced_once():
    layer = CHARACTER_ENCODERS["convolution"](9)
    layer.build((None, None, None))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None], tf.int32)], autograph=False)
    def encode(ids):
        return layer(ids)

    for shape in ([2, 3, 5], [1, 1, 1], [0, 4, 3], [4, 9, 12]):
        ids = np.random.default_rng(2).integers(0, 9, shape)
        np.testing.assert_allclose(encode(ids), layer(ids), atol=1e-6)
    assert encode.experimental_get_tracing_count() == 1
