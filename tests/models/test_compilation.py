import threading

import keras
import numpy as np
import tensorflow as tf

from models.compilation import compiled_loops, layers_side_by_side, side_by_side, stock_operations
from models.precision import dtype_policy
from models.recurrent import recurrent_layer

SECONDS = 60


def run_together(*functions):
    """Runs functions of a barrier in threads of their own and raises what one of them raises."""
    barrier, errors = threading.Barrier(len(functions), timeout=SECONDS), []

    def run(function):
        try:
            function(barrier)
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=run, args=(each,)) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def is_fast(function) -> bool:
    """Whether a graph holds a loop that XLA compiles, or the native operator."""
    definition = str(function.graph.as_graph_def())
    return "_XlaMustCompile" in definition or "SuiteRecurrence" in definition


def small_model():
    model = keras.Sequential([keras.Input((None, 3)), recurrent_layer("gru", 4)])
    model.compile("sgd", "mse")
    return model


def test_switches_of_one_thread_do_not_reach_another():
    def switch(barrier):
        with stock_operations(), side_by_side(4):
            barrier.wait()
            assert layers_side_by_side() == 4
            barrier.wait()

    def look(barrier):
        barrier.wait()
        with tf.Graph().as_default():
            assert compiled_loops()
        assert layers_side_by_side() == 1
        barrier.wait()

    run_together(switch, look)


def test_switches_that_are_left_are_as_before():
    with tf.Graph().as_default():
        with side_by_side(2):
            with side_by_side(3), stock_operations():
                assert not compiled_loops()
            assert (layers_side_by_side(), compiled_loops()) == (2, True)
        assert layers_side_by_side() == 1


def test_one_thread_exports_stock_operations_while_another_trains_in_compiled_loops(tmp_path):
    exported, trained = small_model(), small_model()
    step = tf.TensorSpec([None, None, 3])
    inputs, targets = np.ones((2, 5, 3), "float32"), np.zeros((2, 4), "float32")
    found = {}

    def export(barrier):
        with stock_operations():
            barrier.wait()  # now the other one traces
            barrier.wait()
            trace = tf.function(lambda x: exported(x), autograph=False).get_concrete_function(step)
            found["exported"] = is_fast(trace)
            exported.export(tmp_path / "model", verbose=False)

    def train(barrier):
        barrier.wait()
        trained.fit(inputs, targets, verbose=0)
        trace = tf.function(lambda x: trained(x), autograph=False).get_concrete_function(step)
        found["trained"] = is_fast(trace)
        barrier.wait()

    run_together(export, train)
    assert found == {"exported": False, "trained": True}
    loaded = tf.saved_model.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.serve(inputs), exported.predict(inputs, verbose=0), atol=1e-6)


def test_the_precision_of_one_thread_is_not_that_of_another():
    def halve(barrier):
        with dtype_policy("mixed_bfloat16"):
            barrier.wait()
            assert keras.layers.Dense(1).compute_dtype == "bfloat16"
            barrier.wait()

    def look(barrier):
        barrier.wait()
        assert keras.layers.Dense(1).compute_dtype == "float32"
        barrier.wait()

    run_together(halve, look)
