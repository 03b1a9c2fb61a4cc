import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.recurrent.native import operator
from models.recurrent.rounded_step import round_columns, round_weights
from models.recurrent.stack import recurrent_stack

CELLS = ("simple_rnn", "lstm", "gru", "peephole_lstm", "coupled_lstm")
FEATURES = 7

needs_operator = pytest.mark.skipif(
    bool(operator.why_missing()), reason=f"no native operator: {operator.why_missing()}"
)


def make_stacks(cell, units=21, **options):
    """Two stacks of the same weights."""
    stacks = [recurrent_stack(cell, units, **options) for _ in range(2)]
    generator = np.random.default_rng(0)
    for stack in stacks:
        stack.build((None, None, FEATURES))
    weights = [generator.normal(0, 0.3, w.shape) for w in stacks[0].get_weights()]
    for stack in stacks:
        stack.set_weights(weights)
    return stacks


def draw(stack, rows):
    generator = np.random.default_rng(1)
    sizes = [size for sizes in stack.state_sizes for size in sizes]
    arrays = [generator.normal(0, 1, (rows, size)) for size in (FEATURES, *sizes)]
    inputs, *states = [tf.constant(array, tf.float32) for array in arrays]
    return inputs, states


@needs_operator
@pytest.mark.parametrize("rows", [1, 3, 30])
@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_that_of_the_rounded_weights(cell, rows):
    stack, reference = make_stacks(cell, num_layers=2, residual=True, layer_normalization=True)
    stack.round_weights()
    for layer in reference.layers:
        round_weights(layer.cell)
    arguments = draw(stack, rows)
    outputs, states = stack.step(*arguments)
    expected, expected_states = reference.step(*arguments)
    assert_allclose(outputs, expected, atol=1e-5)
    for state, other in zip(states, expected_states, strict=True):
        assert_allclose(state, other, atol=1e-5)


@needs_operator
def test_a_batch_without_texts_has_a_step():
    stack, _ = make_stacks("lstm")
    stack.round_weights()
    outputs, states = stack.step(*draw(stack, 0))
    assert [x.shape for x in (outputs, *states)] == [(0, 21)] * 3


@needs_operator
def test_the_weights_are_those_of_the_moment():
    stack, reference = make_stacks("gru")
    stack.round_weights()
    stack.layers[0].cell.kernel.assign_add(tf.ones_like(stack.layers[0].cell.kernel))
    arguments = draw(stack, 2)
    reference.round_weights()
    assert_array_equal(stack.step(*arguments)[0], reference.step(*arguments)[0])
    stack.round_weights()
    assert np.abs(stack.step(*arguments)[0] - reference.step(*arguments)[0]).max() > 0.1


@needs_operator
@pytest.mark.parametrize("rows", [1, 256])
def test_a_step_does_not_depend_on_the_number_of_threads(monkeypatch, rows):
    stack, _ = make_stacks("lstm", units=150)
    stack.round_weights()
    arguments = draw(stack, rows)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(operator, "_threads", lambda threads=threads: threads)
        found.append(stack.step(*arguments)[1])
    for one, other in zip(*found, strict=True):
        assert_array_equal(one, other)


@needs_operator
def test_half_precision_stays_what_it_is():
    stack = recurrent_stack("lstm", 16, dtype="bfloat16")
    stack.build((None, None, FEATURES))
    stack.round_weights()
    inputs, states = draw(stack, 2)
    outputs, after = stack.step(
        *tf.nest.map_structure(lambda x: tf.cast(x, tf.bfloat16), (inputs, states))
    )
    assert {x.dtype for x in (outputs, *after)} == {tf.bfloat16}


@needs_operator
def test_cells_without_native_equations_are_refused():
    stack, _ = make_stacks("layer_norm_gru")
    with pytest.raises(ValueError, match="the native operator has no such cell"):
        stack.round_weights()


def test_without_the_operator_weights_stay_as_they_are(monkeypatch):
    monkeypatch.setenv(operator.SWITCH, "0")
    stack, reference = make_stacks("lstm")
    with pytest.raises(ValueError, match="no native operator: RECURRENT_TEXT_SUITE_NATIVE is 0"):
        stack.round_weights()
    arguments = draw(stack, 2)
    assert_array_equal(stack.step(*arguments)[0], reference.step(*arguments)[0])


def test_columns_are_rounded_to_the_nearest_of_255_numbers():
    matrices = [np.array([[0.0, 1.0, 5.0], [0.0, -2.54, 0.1]]), np.array([[0.0, 0.5, -10.0]])]
    whole, scales = round_columns(matrices)
    assert_allclose(scales, [1.0, 0.02, 10 / 127], rtol=1e-6)
    assert_array_equal(np.concatenate(whole), [[0, 50, 64], [0, -127, 1], [0, 25, -127]])
    assert {each.dtype for each in whole} == {np.dtype(np.int8)}
    for matrix, each in zip(matrices, whole, strict=True):
        assert (np.abs(each * scales - matrix) <= scales / 2 + 1e-6).all()


@needs_operator
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"packed": [tf.zeros([3], tf.int8), *[tf.ones([16])] * 2]},
            "the weights must be packed for these sizes",
        ),
        ({"parameters": tf.ones([2])}, "the parameters must be those of the cell in a row"),
        ({"inputs": tf.ones([2])}, "inputs and states must be matrices"),
        ({"states": [tf.ones([2, 4]), tf.ones([3, 4])]}, r"a state must be \[batch, units\]"),
    ],
    ids=["weights", "parameters", "inputs", "states"],
)
def test_shapes_that_do_not_fit_are_refused(change, message):
    kernel, columns = tf.ones([3, 16], tf.int8), tf.ones([16])
    packed = operator.pack_rounded("lstm", kernel, tf.ones([4, 16], tf.int8), *[columns] * 3)
    arguments = {
        **{"inputs": tf.ones([2, 3]), "packed": packed, "parameters": tf.ones([0])},
        **{"states": [tf.ones([2, 4])] * 2},
    }
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        operator.rounded_step("lstm", **{**arguments, **change})
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have gates"):
        operator.pack_rounded("lstm", kernel, tf.ones([5, 16], tf.int8), *[columns] * 3)
