"""The layers, compiled and in the native operator, against Keras' own: outputs, states and
gradients."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.compilation import stock_operations, xla_loops
from models.recurrent import layers as recurrent_layers

LAYERS = ("SimpleRNN", "LSTM", "GRU")
# The options of a layer, and how it is called.
CHOICES = (
    *("return_sequences", "return_state", "go_backwards", "use_bias", "zero_output_for_mask"),
    *("masked", "begun", "training"),
)
# Each cell has two rows, each as it is and inverted: so every choice is made and not made with
# every cell, and any two are made together, alone and not at all with one cell or another.
FIRST, SECOND = (0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 1, 1, 1, 1)
THIRD, FOURTH = (0, 0, 1, 1, 0, 0, 1, 1), (0, 1, 0, 1, 0, 1, 0, 1)
PAIRED = {"SimpleRNN": (FIRST, THIRD), "LSTM": (SECOND, FOURTH), "GRU": (SECOND, THIRD)}


def twins(name, features, options, units=3, seed=0):
    """Keras' layer and the compiled one, with the same random weights."""
    layers = [
        getattr(module, name)(units, **options) for module in (keras.layers, recurrent_layers)
    ]
    for layer in layers:
        layer.build((None, None, features))
    generator = np.random.default_rng(seed)
    layers[0].set_weights([generator.normal(0, 0.4, w.shape) for w in layers[0].weights])
    layers[1].set_weights(layers[0].get_weights())
    return layers


def outcome(layer, inputs, mask, states, training=True):
    """Outputs and the gradients of everything that has one."""
    inputs, states = tf.constant(inputs), [tf.constant(state) for state in states]
    # In a graph, where the loop is compiled.
    return tf.function(_outcome, autograph=False)(layer, inputs, mask, states, training)


def _outcome(layer, inputs, mask, states, training):
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        results = tf.nest.flatten(
            layer(inputs, mask=mask, initial_state=states or None, training=training)
        )
        loss = tf.add_n([tf.reduce_sum(tf.sin(r + i)) for i, r in enumerate(results)])
    sources = [inputs, *states, *(w.value for w in layer.trainable_weights)]
    return results + tape.gradient(loss, sources, unconnected_gradients="zero")


def check(ways, name, options, shape, mask, states, training=True, units=3):
    layers = twins(name, shape[2], options, units)
    inputs = np.random.default_rng(1).normal(size=shape).astype("float32")
    expected = outcome(layers[0], inputs, mask, states, training)
    for way in ways:
        with way():
            actual = outcome(layers[1], inputs, mask, states, training)
        for one, other in zip(expected, actual, strict=True):
            # Gradients of weights are sums over the batch and the time.
            assert_allclose(other, one, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "row"),
    [(name, row) for name, rows in PAIRED.items() for row in rows],
)
@pytest.mark.parametrize("inverted", [False, True])
def test_outputs_states_and_gradients_equal_those_of_keras(ways, name, row, inverted):
    chosen = dict(zip(CHOICES, (bit != inverted for bit in row), strict=True))
    masked, begun, training = (chosen.pop(key) for key in ("masked", "begun", "training"))
    batch, steps = (5, 9) if inverted else (2, 3)
    generator = np.random.default_rng(2)
    mask = None
    if masked:
        mask = generator.random((batch, steps)) < 0.6
        mask[0] = False
    count = begun * (2 if name == "LSTM" else 1)
    states = [generator.normal(size=(batch, 3)).astype("float32") for _ in range(count)]
    check(ways, name, chosen, (batch, steps, 2), mask, states, training)


# Gradients are collected over chunks of steps, fewer of them the more rows there are.
@pytest.mark.parametrize(
    ("name", "batch", "steps"),
    [
        *[("LSTM", 37, 70), ("LSTM", 200, 11), ("LSTM", 300, 11), ("LSTM", 600, 5)],
        *[("SimpleRNN", 37, 70), ("SimpleRNN", 300, 11), ("GRU", 200, 11), ("GRU", 600, 5)],
    ],
)
def test_any_batch_and_length_past_the_first_bucket(ways, name, batch, steps):
    check(ways, name, {"return_sequences": True}, (batch, steps, 2), None, [])


@pytest.mark.parametrize("name", LAYERS)
def test_any_number_of_features_and_units(ways, name):
    # The native operator takes both in blocks of 16.
    check(ways[-1:], name, {"return_sequences": True}, (7, 4, 17), None, [], units=19)


def test_the_last_state_is_that_of_the_last_step_whatever_the_length_is_padded_to(ways):
    # Five steps, padded to eight.
    check(ways, "GRU", {"return_state": True}, (3, 5, 2), None, [])


@pytest.mark.parametrize(
    "options", [{"reset_after": False}, {"activation": "softmax"}, {"unroll": True}]
)
def test_what_the_compiled_loop_lacks_runs_in_that_of_keras(ways, options):
    check(ways[:1], "GRU", options, (3, 4, 2), None, [])


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dropped", ["dropout", "recurrent_dropout"])
def test_dropout_equals_that_of_keras_with_its_seed(name, dropped):
    inputs = np.random.default_rng(0).normal(size=(4, 5, 6)).astype("float32")
    layers = twins(name, 6, {dropped: 0.5, "seed": 7, "return_sequences": True})
    expected, actual = (outcome(layer, inputs, None, []) for layer in layers)
    for one, other in zip(expected, actual, strict=True):
        assert_allclose(other, one, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_stateful_layer_goes_on_where_it_was(name):
    inputs = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    layers = []
    for module in (keras.layers, recurrent_layers):
        layer = getattr(module, name)(3, stateful=True)
        layer(inputs[:, :3])
        layers.append(layer)
    layers[1].set_weights(layers[0].get_weights())
    for layer in layers:
        layer.reset_state()
        layer(inputs[:, :3])
    assert_allclose(layers[1](inputs[:, 3:]), layers[0](inputs[:, 3:]), atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_both_directions_equal_those_of_keras(ways, name):
    pair = [
        module.Bidirectional(getattr(module, name)(3, return_sequences=True))
        for module in (keras.layers, recurrent_layers)
    ]
    inputs = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    mask = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 1, 0, 0, 0]], bool)
    for layer in pair:
        layer.build((None, None, 2))
    pair[1].set_weights(pair[0].get_weights())
    expected = outcome(pair[0], inputs, mask, [])
    for way in ways:
        with way():
            actual = outcome(pair[1], inputs, mask, [])
        for one, other in zip(expected, actual, strict=True):
            assert_allclose(other, one, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_half_precision_is_close_to_the_full_one(name):
    options = {"return_sequences": True}
    half = getattr(recurrent_layers, name)(3, dtype="mixed_bfloat16", **options)
    full = getattr(recurrent_layers, name)(3, **options)
    inputs = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    half.build((None, None, 2)), full.build((None, None, 2))
    full.set_weights(half.get_weights())
    assert half(inputs).dtype == tf.bfloat16
    assert_allclose(tf.cast(half(inputs), tf.float32), full(inputs), atol=0.03)


@pytest.mark.parametrize("name", LAYERS)
def test_keras_takes_the_configuration_and_the_weights(name):
    layer = getattr(recurrent_layers, name)(3, return_sequences=True)
    twin = getattr(keras.layers, name).from_config(layer.get_config())
    inputs = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    layer.build(inputs.shape), twin.build(inputs.shape)
    twin.set_weights(layer.get_weights())
    assert_allclose(layer(inputs), twin(inputs), atol=1e-6)


def test_a_batch_of_static_shape_is_differentiated_in_a_graph():
    inputs = keras.Input((5, 2), batch_size=4)
    states = keras.layers.Bidirectional(recurrent_layers.GRU(3, return_sequences=True))(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(states))
    model.compile("sgd", "mse", jit_compile=False)
    x, y = np.ones((4, 5, 2), "float32"), np.zeros((4, 5, 1), "float32")
    first = model.train_on_batch(x, y)
    assert model.train_on_batch(x, y) < first


@pytest.mark.parametrize("training", [False, True])
def test_a_tape_around_the_graph_may_keep_several_gradients(training):
    inputs = tf.constant(np.random.default_rng(0).normal(size=(2, 5, 3)), tf.float32)
    gradients = []
    for layer in twins("GRU", 3, {"return_sequences": True}):
        call = tf.function(layer, autograph=False)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.sin(call(inputs, training=training)))
        gradients.append(tape.gradient(loss, inputs))
    assert_allclose(gradients[1], gradients[0], atol=1e-5)


def test_a_second_derivative_is_refused_and_stock_operations_have_one(ways):
    layer = recurrent_layers.SimpleRNN(3)
    layer.build((None, None, 2))
    inputs = tf.ones([1, 3, 2])

    def second():
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                output = layer(inputs, training=True)
            once = inner.gradient(output, inputs)
        return outer.gradient(once, inputs)

    for way in ways:
        with way(), pytest.raises(tf.errors.InvalidArgumentError, match="no second derivative"):
            tf.function(second, autograph=False)()
    with stock_operations():
        assert np.abs(tf.function(second, autograph=False)()).max() > 0


def test_functions_that_run_eagerly_can_be_trained(ways):
    tf.config.run_functions_eagerly(True)
    try:
        check(ways[:1], "LSTM", {}, (2, 3, 2), None, [])
    finally:
        tf.config.run_functions_eagerly(False)


def test_the_loop_is_compiled_once_for_lengths_of_one_bucket():
    layer = recurrent_layers.LSTM(3, return_sequences=True)
    layer.build((None, None, 2))
    call = tf.function(layer, input_signature=[tf.TensorSpec([None, None, 2])], autograph=False)
    long = np.random.default_rng(0).normal(size=(2, 8, 2)).astype("float32")
    with xla_loops():
        whole = call(long)
        assert call.experimental_get_tracing_count() == 1
        # One bucket, one program: a shorter text gives the beginning of the longer one's output.
        assert_array_equal(call(long[:, :5]), whole[:, :5])
    assert call.experimental_get_tracing_count() == 1


def test_stock_operations_leave_nothing_compiled_in_the_graph():
    layer = recurrent_layers.GRU(3)
    with stock_operations():
        graph = tf.function(
            layer, input_signature=[tf.TensorSpec([None, None, 2])], autograph=False
        )
        definition = graph.get_concrete_function().graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    assert not {node.op for node in nodes if re.search("Xla|Cudnn|Suite", node.op)}
    assert not any("_XlaMustCompile" in f.attr for f in definition.library.function)


def test_weight_drop_zeroes_weights_in_training_only():
    layer = recurrent_layers.SimpleRNN(40, weight_drop=0.5, activation="linear", use_bias=False)
    layer.build((None, None, 1))
    layer.set_weights([np.zeros((1, 40)), np.eye(40)])
    ones = tf.ones([1, 40])
    once = layer(tf.zeros([1, 1, 1]), initial_state=[ones], training=True).numpy()
    # What is kept is scaled up, so that the mean stays.
    assert set(np.unique(once)) == {0.0, 2.0}
    assert_array_equal(layer(tf.zeros([1, 1, 1]), initial_state=[ones]), ones)
    assert_array_equal(layer.cell.recurrent_kernel, np.eye(40))


def test_weight_drop_out_of_its_bounds_is_refused():
    with pytest.raises(ValueError, match=r"weight_drop must be in \[0, 1\). Received: 1.0"):
        recurrent_layers.LSTM(3, weight_drop=1.0)


@pytest.mark.parametrize(("weight_drop", "fused"), [(0.0, True), (0.5, False)])
def test_dropped_weights_never_pass_by_to_cudnn(weight_drop, fused):
    layer = recurrent_layers.Bidirectional(recurrent_layers.LSTM(2, weight_drop=weight_drop))
    layer.build((None, None, 2))
    assert layer._can_attempt_fused_lstm(None) == fused
    with stock_operations():
        assert not layer._can_attempt_fused_lstm(None)
