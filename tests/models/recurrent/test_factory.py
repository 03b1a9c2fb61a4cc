import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.recurrent.factory import recurrent_layer
from models.recurrent.stack import RecurrentStack, recurrent_stack
from models.registry import CELLS

TWO_TEXTS = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_every_layer_builds_with_the_documented_shape(cell, bidirectional, return_sequences):
    layer = recurrent_layer(cell, 5, bidirectional, return_sequences=return_sequences)
    features = 10 if bidirectional else 5
    assert layer(TWO_TEXTS).shape == ((2, 4, features) if return_sequences else (2, features))


# tanh(0.5 x + 0.25 h + 0.1) with x = 2 and h = 0.5.
def test_one_step_of_an_elman_network_by_hand():
    layer = recurrent_layer("simple_rnn", 1)
    layer.build((1, 1, 1))
    layer.set_weights([np.array([[0.5]]), np.array([[0.25]]), np.array([0.1])])
    after = layer(np.array([[[2.0]]]), initial_state=np.array([[0.5]]))
    assert_allclose(after, [[0.841123]], atol=1e-6)


# z = s(0.5 + 0.1 h), r = s(1 + 0.2 h), n = tanh(2 + r 0.3 h): z h + (1 - z) n, h = 0.5.
def test_one_step_of_a_gru_by_hand():
    layer = recurrent_layer("gru", 1)
    layer.build((1, 1, 1))
    layer.set_weights([np.array([[0.5, 1.0, 2.0]]), np.array([[0.1, 0.2, 0.3]]), np.zeros((2, 3))])
    after = layer(np.array([[[1.0]]]), initial_state=np.array([[0.5]]))
    assert_allclose(after, [[0.672385]], atol=1e-6)


# i = s(0.5 + 0.1 h), f = s(1 + 0.2 h), g = tanh(2 + 0.3 h), o = s(-1 + 0.4 h):
# c' = f c + i g and h' = o tanh(c'), with h = 0.5 and c = -0.3.
def test_one_step_of_an_lstm_by_hand():
    layer = recurrent_layer("lstm", 1, return_state=True)
    layer.build((1, 1, 1))
    kernel, state_kernel = np.array([[0.5, 1.0, 2.0, -1.0]]), np.array([[0.1, 0.2, 0.3, 0.4]])
    layer.set_weights([kernel, state_kernel, np.zeros(4)])
    state = [np.array([[0.5]]), np.array([[-0.3]])]
    _, hidden, memory = layer(np.array([[[1.0]]]), initial_state=state)
    assert_allclose([hidden, memory], [[[0.115686]], [[0.392079]]], atol=1e-6)


def test_the_backward_half_is_the_forward_layer_on_the_reversed_text():
    both = recurrent_layer("gru", 2, bidirectional=True)
    both.build((None, None, 3))
    forward = recurrent_layer("gru", 2)
    forward.build((None, None, 3))
    forward.set_weights(both.backward_layer.get_weights())
    assert_allclose(both(TWO_TEXTS)[:, 2:], forward(TWO_TEXTS[:, ::-1]), atol=1e-6)


def test_an_unknown_cell_is_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match=r"cell 'lstmm'.*one of: simple_rnn, lstm, gru, "):
        recurrent_layer("lstmm", 4)


@pytest.mark.parametrize(
    ("cell", "option", "listed"),
    [
        ("gru", "droput", "dropout, .*l1, l2, .*recurrent_dropout"),
        ("lstm", "reset_after", "unit_forget_bias"),
        ("simple_rnn", "use_cudnn", "return_sequences"),
    ],
)
def test_an_unknown_option_is_refused_with_the_valid_ones(cell, option, listed):
    with pytest.raises(ValueError, match=f"Unknown option '{option}' for {cell}.*{listed}"):
        recurrent_layer(cell, 4, **{option: 1})


@pytest.mark.parametrize("units", [0, -1, 2.5, "8", None])
def test_a_size_that_is_no_positive_whole_number_is_refused(units):
    with pytest.raises(ValueError, match=f"units .* at least 1. Received: {units!r}"):
        recurrent_layer("gru", units)


@pytest.mark.parametrize("num_layers", [0, -2])
def test_a_stack_without_layers_is_refused(num_layers):
    with pytest.raises(ValueError, match=f"at least 1. Received: {num_layers}"):
        recurrent_stack("gru", 4, num_layers)


# |1| + |2| + |3| and 1 + 4 + 9, on the input and on the state weights.
@pytest.mark.parametrize(
    ("penalties", "loss"), [({"l1": 0.1}, 1.2), ({"l2": 0.1}, 2.8), ({"l1": 0.1, "l2": 0.1}, 4.0)]
)
def test_penalties_fall_on_both_kernels(penalties, loss):
    layer = recurrent_layer("gru", 1, **penalties)
    layer.build((1, 1, 1))
    weights = np.array([[1.0, -2.0, 3.0]])
    layer.set_weights([weights, weights, np.full((2, 3), 7.0)])
    assert_allclose(sum(layer.losses), loss, rtol=1e-6)


def test_a_penalty_and_a_regularizer_together_are_refused():
    with pytest.raises(ValueError, match="kernel_regularizer"):
        recurrent_layer("gru", 1, l1=0.1, kernel_regularizer="l2")


def test_any_whole_number_is_a_size_and_a_truth_value_is_none():
    assert recurrent_layer("gru", np.int64(4)).units == 4
    with pytest.raises(ValueError):
        recurrent_layer("gru", True)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("bidirectional", "features"), [(False, 5), (True, 10)])
def test_a_stack_returns_a_vector_a_step(cell, bidirectional, features):
    stack = recurrent_stack(cell, 5, num_layers=2, bidirectional=bidirectional)
    assert stack(TWO_TEXTS).shape == (2, 4, features)
    assert stack.compute_output_shape([2, 4, 3]) == (2, 4, features)


def test_the_residual_connection_stands_from_the_second_layer_on():
    # The input is as wide as the state, so that adding it to the first layer would be possible.
    stack = RecurrentStack("gru", 3, num_layers=3, residual=True)
    result = stack(TWO_TEXTS)
    first = stack.layers[0](TWO_TEXTS)
    second = stack.layers[1](first) + first
    assert_allclose(result, stack.layers[2](second) + second, atol=1e-6)


def test_each_layer_is_normalised():
    stack = RecurrentStack("gru", 4, num_layers=2, bidirectional=True, layer_normalization=True)
    result = np.array(stack(TWO_TEXTS))
    assert_allclose(result.mean(axis=-1), 0.0, atol=1e-5)
    assert_allclose(result.std(axis=-1), 1.0, atol=0.1)
    below = stack.norms[0](stack.layers[0](TWO_TEXTS))
    assert_allclose(result, stack.norms[1](stack.layers[1](below)), atol=1e-6)


@pytest.mark.parametrize("option", ["dropout", "recurrent_dropout"])
def test_dropout_acts_in_training_only(option):
    stack = RecurrentStack("gru", 4, num_layers=2, **{option: 0.5})
    calm = stack(TWO_TEXTS)
    assert_array_equal(stack(TWO_TEXTS), calm)
    assert np.abs(stack(TWO_TEXTS, training=True) - calm).max() > 1e-3


def test_the_first_layer_sees_its_whole_input():
    stack = RecurrentStack("gru", 4, num_layers=1, dropout=0.9)
    assert_array_equal(stack(TWO_TEXTS, training=True), stack(TWO_TEXTS))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_does_not_change_the_real_steps(cell, bidirectional):
    options = {"residual": True, "layer_normalization": True, "bidirectional": bidirectional}
    stack = RecurrentStack(cell, 4, num_layers=2, **options)
    padded = np.pad(TWO_TEXTS, [(0, 0), (0, 3), (0, 0)], constant_values=9.0)
    mask = np.arange(7) < np.array([[4], [4]])
    assert_allclose(stack(padded, mask=mask)[:, :4], stack(TWO_TEXTS), atol=1e-5)


def test_the_configuration_makes_the_same_stack():
    stack = RecurrentStack(
        "lstm", 4, 2, True, 0.1, 0.2, 0.3, 0.4, "he_normal", "zeros", True, True, False, name="s"
    )
    twin = RecurrentStack.from_config(stack.get_config())
    assert twin.get_config() == stack.get_config()
    assert (twin.name, twin.l2, twin.use_cudnn) == ("s", 0.4, False)


LOAD = """
import sys, keras, numpy as np
import models.recurrent.stack
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], model(np.load(sys.argv[2])))
"""


def test_a_saved_stack_answers_the_same_in_a_fresh_process(tmp_path, tensorflow_process):
    inputs = keras.Input((None, 3))
    stacks = [
        recurrent_stack(cell, 4, 2, bidirectional=True, residual=True, layer_normalization=True)
        for cell in CELLS
    ]
    model = keras.Model(inputs, [stack(inputs) for stack in stacks])
    model = keras.Model(inputs, keras.layers.Concatenate()(model.outputs))
    model.save(tmp_path / "stack.keras")
    np.save(tmp_path / "in.npy", TWO_TEXTS)
    done = tensorflow_process(LOAD, *(tmp_path / n for n in ("stack.keras", "in.npy", "out.npy")))
    assert done.returncode == 0, done.stderr
    assert_array_equal(np.load(tmp_path / "out.npy"), model(TWO_TEXTS))


@pytest.mark.parametrize("cell", CELLS)
def test_states_carry_a_text_from_one_call_to_the_next(cell):
    options = {"residual": True, "layer_normalization": True, "return_state": True}
    stack = RecurrentStack(cell, 4, num_layers=2, **options)
    whole, final = stack(TWO_TEXTS)
    head, states = stack(TWO_TEXTS[:, :1])
    tail, after = stack(TWO_TEXTS[:, 1:], initial_state=states)
    # A layer normalisation divides by small deviations, and rounding errors with them.
    assert_allclose(np.concatenate([head, tail], axis=1), whole, atol=1e-5)
    assert len(states) == stack.num_states == len(final)
    for ours, theirs in zip(after, final, strict=True):
        assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_a_call_of_one_step(cell):
    options = {"residual": True, "layer_normalization": True, "return_state": True}
    stack = RecurrentStack(cell, 4, num_layers=2, dropout=0.5, **options)
    _, before = stack(TWO_TEXTS[:, :2])
    output, after = stack.step(TWO_TEXTS[:, 2], before)
    outputs, final = stack(TWO_TEXTS[:, 2:3], initial_state=before)
    for ours, theirs in zip([output, *after], [outputs[:, 0], *final], strict=True):
        assert_allclose(ours, theirs, atol=1e-6)


def test_padding_leaves_the_states_of_the_last_real_step():
    stack = RecurrentStack("lstm", 4, num_layers=2, return_state=True)
    padded = np.pad(TWO_TEXTS, [(0, 0), (0, 3), (0, 0)], constant_values=9.0)
    _, states = stack(padded, mask=np.arange(7) < np.array([[4], [4]]))
    for ours, theirs in zip(states, stack(TWO_TEXTS)[1], strict=True):
        assert_allclose(ours, theirs, atol=1e-6)


def test_both_directions_give_their_states():
    stack = RecurrentStack("lstm", 4, num_layers=2, bidirectional=True, return_state=True)
    outputs, states = stack(TWO_TEXTS)
    assert len(states) == stack.num_states == 8
    assert_allclose(states[4], outputs[:, -1, :4], atol=1e-6)
    assert_allclose(states[6], outputs[:, 0, 4:], atol=1e-6)
