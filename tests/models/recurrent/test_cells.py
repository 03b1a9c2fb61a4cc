"""Each cell against its paper's equation, computed by hand, and the loops against each other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.compilation import stock_operations
from models.recurrent import cells
from models.recurrent.factory import recurrent_layer
from models.recurrent.initializers import GateBias, GateOrthogonal

OWN = list(cells.CELLS)
INPUT = np.array([[1.0, -2.0]])
STATES = [np.array([[0.5, -0.25]]), np.array([[0.2, 0.4]])]


def s(x):
    return 1 / (1 + np.exp(-x))


def norm(x):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-3)


def built(cell_class):
    """A cell of two units with random weights, and its projections of INPUT and STATES[0]."""
    cell = cell_class(2)
    cell.build((None, 2))
    generator = np.random.default_rng(0)
    cell.set_weights([generator.normal(0, 0.5, weight.shape) for weight in cell.weights])
    weights = {weight.name: weight.numpy() for weight in cell.weights}
    # A weight of zeros would hide the term of the equation that it stands in.
    assert all(np.abs(weight).min() > 0 for weight in weights.values())
    return cell, weights, INPUT @ weights["kernel"], STATES[0] @ weights["recurrent_kernel"]


def step(cell):
    states = [tf.constant(x, tf.float32) for x in STATES[: cell.num_states]]
    output, new = cell(tf.constant(INPUT, tf.float32), states)
    assert_allclose(output, new[0])
    return new


def test_the_gates_of_a_peephole_lstm_see_the_cell():
    cell, w, x, h = built(cells.PeepholeLSTMCell)
    i, f, g, o = np.split(x + h + w["bias"], 4, axis=1)
    c = STATES[1]
    new = s(f + w["peephole_forget"] * c) * c + s(i + w["peephole_input"] * c) * np.tanh(g)
    # The output gate sees the new cell.
    output = s(o + w["peephole_output"] * new) * np.tanh(new)
    for actual, expected in zip(step(cell), (output, new), strict=True):
        assert_allclose(actual, expected, atol=1e-6)


def test_a_coupled_lstm_writes_what_it_forgets():
    cell, w, x, h = built(cells.CoupledLSTMCell)
    f, g, o = np.split(x + h + w["bias"], 3, axis=1)
    new = s(f) * STATES[1] + (1 - s(f)) * np.tanh(g)
    for actual, expected in zip(step(cell), (s(o) * np.tanh(new), new), strict=True):
        assert_allclose(actual, expected, atol=1e-6)


def test_a_layer_norm_lstm_normalises_both_projections_and_the_cell():
    cell, w, x, h = built(cells.LayerNormLSTMCell)
    total = w["input_gain"] * norm(x) + w["recurrent_gain"] * norm(h) + w["bias"]
    i, f, g, o = np.split(total, 4, axis=1)
    new = s(f) * STATES[1] + s(i) * np.tanh(g)
    output = s(o) * np.tanh(w["carry_gain"] * norm(new) + w["carry_shift"])
    for actual, expected in zip(step(cell), (output, new), strict=True):
        assert_allclose(actual, expected, atol=1e-5)


def test_a_layer_norm_gru_normalises_both_projections():
    cell, w, x, h = built(cells.LayerNormGRUCell)
    z, r, g = np.split(w["input_gain"] * norm(x) + w["bias"], 3, axis=1)
    normed = w["recurrent_gain"] * norm(h) + w["recurrent_bias"]
    z_h, r_h, g_h = np.split(normed, 3, axis=1)
    z = s(z + z_h)
    expected = z * STATES[0] + (1 - z) * np.tanh(g + s(r + r_h) * g_h)
    assert_allclose(step(cell)[0], expected, atol=1e-5)


# All outputs hold the last one: without them one cell is enough.
@pytest.mark.parametrize(
    ("name", "return_sequences"), [(OWN[0], False), *((name, True) for name in OWN)]
)
def test_all_loops_give_the_same_outputs_and_gradients(ways, name, return_sequences):
    layer = recurrent_layer(name, 4, return_sequences=return_sequences)
    generator = np.random.default_rng(0)
    inputs = tf.constant(generator.normal(size=(3, 6, 2)), tf.float32)
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 0]], bool)
    layer.build(inputs.shape)
    layer.set_weights([generator.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])

    def outcome():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = layer(inputs, mask=mask, training=True)
            loss = tf.reduce_sum(tf.sin(output))
        return [output, *tape.gradient(loss, [inputs, *(w.value for w in layer.weights)])]

    with stock_operations():
        expected = tf.function(outcome, autograph=False)()
    # In a graph, where the loop is compiled, or the native operator runs.
    for way in ways:
        with way():
            actual = tf.function(outcome, autograph=False)()
        for one, other in zip(expected, actual, strict=True):
            assert_allclose(other, one, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", OWN)
def test_the_configuration_makes_the_same_cell(name):
    layer = recurrent_layer(name, 4, dropout=0.25, forget_bias=2.0, weight_drop=0.5, l2=0.1)
    twin = type(layer).from_config(layer.get_config())
    assert (twin.cell.units, twin.cell.dropout, twin.weight_drop) == (4, 0.25, 0.5)
    assert twin.cell.kernel_regularizer.l2 == pytest.approx(0.1)


def test_dropout_drops_the_same_features_at_all_steps():
    cell = cells.PeepholeLSTMCell(2, dropout=0.5, seed=1)
    dropped = cell.drop(tf.ones([8, 5, 6])).numpy()
    assert (dropped == dropped[:, :1]).all()
    assert set(np.unique(dropped)) == {0.0, 2.0}


@pytest.mark.parametrize(
    ("cell", "forget"),
    [("lstm", 1), ("peephole_lstm", 1), ("layer_norm_lstm", 1), ("coupled_lstm", 0), ("gru", 0)],
)
def test_the_forget_bias_stands_at_the_forget_gate_alone(cell, forget):
    layer = recurrent_layer(cell, 2, forget_bias=3.0)
    layer.build((None, None, 1))
    bias = np.atleast_2d(layer.cell.bias.numpy())[0].reshape(-1, 2)
    assert_allclose(bias[forget], 3.0)
    assert not np.delete(bias, forget, axis=0).any()


def test_chrono_biases_are_logarithms_of_time_spans_and_oppose_each_other():
    i, f, g, o = GateBias((-1, 1, 0, 0), chrono_length=100, seed=0)((4000,)).numpy().reshape(4, -1)
    assert_allclose(i, -f)
    assert not g.any() and not o.any()
    spans = np.exp(f)
    assert 1 <= spans.min() < 5 and 94 < spans.max() <= 99
    assert np.mean(spans) == pytest.approx(50, abs=3)


def test_each_gate_gets_an_orthogonal_matrix():
    matrix = GateOrthogonal(seed=0)((5, 20)).numpy()
    for gate in np.split(matrix, 4, axis=1):
        assert_allclose(gate @ gate.T, np.eye(5), atol=1e-5)
    assert not np.allclose(matrix[:, :5], matrix[:, 5:10])


@pytest.mark.parametrize("initializer", [GateOrthogonal(seed=3), GateBias((1, 0, 0), 2.0, 0, 1)])
def test_an_initializer_survives_its_configuration(initializer):
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(initializer))
    assert twin.get_config() == initializer.get_config()


def test_gates_are_asked_of_cells_that_have_some():
    with pytest.raises(ValueError, match="simple_rnn has no gates"):
        recurrent_layer("simple_rnn", 2, forget_bias=1.0)
