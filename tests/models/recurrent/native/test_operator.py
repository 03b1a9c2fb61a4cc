import functools
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.recurrent import recurrent_layer
from models.recurrent.native import operator
from models.recurrent.native.build import NotBuiltError, find_compiler

CELLS = {"simple_rnn": 1, "lstm": 2, "gru": 1, "peephole_lstm": 2, "coupled_lstm": 2}


def has_compiler():
    try:
        return bool(find_compiler())
    except NotBuiltError:
        return False


needs_compiler = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")


@pytest.fixture
def no_operator(monkeypatch):
    """A process that has not looked for the operator yet, and will not get one."""

    def fail(test):
        raise NotBuiltError("no C++ compiler")

    monkeypatch.setattr(operator, "build", fail)
    # The library itself stays loaded: under another name it would register nothing.
    for name in ("_load", "_say_once"):
        fresh = functools.cache(getattr(operator, name).__wrapped__)
        monkeypatch.setattr(operator, name, fresh)


def operations_of(cell, **options):
    """The names of the operations in the graph of a layer."""
    layer = recurrent_layer(cell, 4)
    layer.build((None, None, 3))
    call = tf.function(lambda x: layer(x, training=True), **options, autograph=False)
    graph = call.get_concrete_function(tf.TensorSpec([None, None, 3])).graph
    return {node.op for node in graph.as_graph_def().node}


@needs_compiler
@pytest.mark.parametrize("cell", CELLS)
def test_where_a_compiler_is_layers_run_in_the_operator(cell):
    assert "SuiteRecurrence" in operations_of(cell)


@needs_compiler
@pytest.mark.parametrize("cell", ["layer_norm_lstm", "layer_norm_gru"])
def test_cells_that_it_lacks_run_in_the_compiled_loop(cell):
    assert "SuiteRecurrence" not in operations_of(cell)


def test_the_switch_turns_it_off(monkeypatch):
    monkeypatch.setenv(operator.SWITCH, "0")
    assert "SuiteRecurrence" not in operations_of("gru")


@needs_compiler
def test_a_step_that_xla_compiles_as_a_whole_has_none_of_it():
    assert "SuiteRecurrence" not in operations_of("gru", jit_compile=True)


def test_one_line_says_at_the_first_training_why_there_is_none(no_operator, capsys):
    assert not operator.is_available()
    assert capsys.readouterr().out == ""
    for _ in range(2):
        assert "SuiteRecurrence" not in operations_of("gru")
    assert capsys.readouterr().out == (
        "Recurrent layers run without the native operator, more slowly: no C++ compiler\n"
    )


def outcome(cell, round_factors):
    """The outputs, the final states and the gradients of a masked loop."""
    gates = {"simple_rnn": 1, "gru": 3, "coupled_lstm": 3}.get(cell, 4)
    generator = np.random.default_rng(0)
    shapes = [(29, 7, 5), (5, gates * 9), (9, gates * 9), (gates * 9,), (gates * 9,)]
    shapes += [(29, 9)] * CELLS[cell]
    tensors = [tf.constant(generator.normal(0, 0.5, shape), tf.float32) for shape in shapes]
    mask = tf.constant(generator.random((29, 7)) < 0.7)
    parameters = [tf.ones([9])] * (3 if cell == "peephole_lstm" else 0)
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs, final = operator.run(
            *(cell, *tensors[:5], parameters, tensors[5:], mask),
            **{"return_sequences": True, "reverse": False, "zero_masked": False},
            **{"round_factors": round_factors, "training": True},
        )
        loss = tf.add_n([tf.reduce_sum(tf.sin(x)) for x in (outputs, *final)])
    return [outputs, *final, *tape.gradient(loss, tensors)]


@needs_compiler
@pytest.mark.parametrize("round_factors", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_results_do_not_depend_on_the_number_of_threads(monkeypatch, cell, round_factors):
    assert operator.is_available()
    results = []
    for threads in (1, 4):
        monkeypatch.setattr(operator, "_threads", lambda threads=threads: threads)
        results.append(outcome(cell, round_factors))
    for one, other in zip(*results, strict=True):
        assert_array_equal(one, other)


@needs_compiler
@pytest.mark.parametrize("cell", CELLS)
def test_rounded_factors_change_results_and_gradients_by_little(cell):
    assert operator.is_available()
    for exact, rounded in zip(outcome(cell, False), outcome(cell, True), strict=True):
        assert np.linalg.norm(rounded - exact) < 0.01 * np.linalg.norm(exact)


def multiplies_bfloat16():
    cpus = Path("/proc/cpuinfo")
    if not (has_compiler() and cpus.exists() and " avx512_bf16" in cpus.read_text()):
        return False
    # GCC knows the instructions from version 10 on.
    command = [*find_compiler(), "-mavx512bf16", "-E", "-x", "c++", os.devnull]
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


@pytest.mark.skipif(not multiplies_bfloat16(), reason="no such instructions, or none compiled")
@pytest.mark.parametrize(("features", "units"), [(5, 19), (8, 48), (1, 1)])
def test_what_is_multiplied_is_rounded_to_bfloat16_and_nothing_else(features, units):
    assert operator.is_available()
    generator = np.random.default_rng(0)
    shapes = [(14, 6, features), (features, units), (units, units), (units,), (14, units)]
    x, kernel, recurrent, bias, state = (
        tf.constant(generator.normal(0, 0.5, shape), tf.float32) for shape in shapes
    )
    outputs, _ = operator.run(
        *("simple_rnn", x, kernel, recurrent, bias, tf.zeros([units]), [], [state], None),
        **{"return_sequences": True, "reverse": False, "zero_masked": False},
        **{"round_factors": True, "training": False},
    )

    def rounded(numbers):
        return tf.cast(tf.cast(numbers, tf.bfloat16), tf.float32)

    for step in range(6):
        product = rounded(x[:, step]) @ rounded(kernel) + rounded(state) @ rounded(recurrent)
        state = tf.tanh(product + bias)
        assert_allclose(outputs[:, step], state, atol=1e-5)
        # The operator's own, so that no difference grows.
        state = outputs[:, step]


@needs_compiler
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": tf.ones([3, 8])}, r"the kernel must be \[features, gates \* units\]"),
        ({"bias": tf.ones([3])}, r"the bias must be \[gates \* units\]"),
        ({"mask": tf.ones([2, 5], tf.bool)}, r"the mask must be \[batch, time\] or empty"),
        ({"states": [tf.ones([2, 3])]}, r"a state must be \[batch, units\]"),
    ],
    ids=["kernel", "bias", "mask", "state"],
)
def test_shapes_that_do_not_fit_are_refused(change, message):
    arguments = {
        **{"inputs": tf.ones([2, 4, 3]), "kernel": tf.ones([3, 2])},
        **{"recurrent_kernel": tf.ones([2, 2]), "bias": tf.ones([2])},
        **{"recurrent_bias": tf.ones([2]), "parameters": [], "states": [tf.ones([2, 2])]},
        **{"mask": None, "return_sequences": True, "reverse": False, "zero_masked": False},
        **{"round_factors": False},
    }
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        operator.run("simple_rnn", **{**arguments, **change}, training=True)


@needs_compiler
def test_a_batch_without_texts_has_gradients_of_zero():
    layer = recurrent_layer("lstm", 4)
    layer.build((None, None, 3))

    @tf.function(autograph=False)
    def gradients(inputs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs, training=True))
        return tape.gradient(loss, [weight.value for weight in layer.trainable_weights])

    for gradient in gradients(tf.ones([0, 4, 3])):
        assert not gradient.numpy().any()


@needs_compiler
@pytest.mark.parametrize("row", [-1, 3])
def test_a_row_outside_of_the_matrix_is_refused(row):
    assert operator.is_available()
    with pytest.raises(tf.errors.InvalidArgumentError, match="a row is outside of the matrix"):
        operator.sum_rows(tf.constant([0, row]), tf.ones([2, 4]), 3)
