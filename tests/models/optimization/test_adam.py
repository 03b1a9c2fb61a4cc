import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.optimization.adam import Adam, LossScale
from models.optimization.schedules import WarmupDecay


def trained(optimizer, as_rows, steps=5, run=lambda f: f, scale=1.0):
    """A matrix after some steps whose gradients name rows more than once; `run` wraps a step."""
    matrix = keras.Variable(np.ones((4, 2), "float32"))
    optimizer.build([matrix])
    generator = np.random.default_rng(0)
    for _ in range(steps):
        rows, values = (
            generator.integers(0, 4, 6),
            scale * generator.normal(size=(6, 2)).astype("float32"),
        )
        slices = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([4, 2]))
        gradient = slices if as_rows else tf.convert_to_tensor(slices)
        run(lambda gradient: optimizer.apply([gradient], [matrix]))(gradient)
    return matrix.numpy()


# In a graph the rows are summed by what XLA compiles.
@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_rows_that_come_twice_count_as_their_sum(run):
    expected = trained(keras.optimizers.Adam(0.1), as_rows=False)
    assert_allclose(trained(Adam(0.1), as_rows=True, run=run), expected, atol=1e-5)
    # What this is for: Keras squares each row by itself.
    assert np.abs(trained(keras.optimizers.Adam(0.1), as_rows=True) - expected).max() > 1e-3


@pytest.mark.parametrize("options", [{"amsgrad": True}, {"global_clipnorm": 0.5}, {"ema": True}])
def test_options_work_as_in_keras(options):
    options = {"use_ema": True} if "ema" in options else options
    expected = trained(keras.optimizers.Adam(0.1, **options), as_rows=False)
    assert_allclose(trained(Adam(0.1, **options), as_rows=True), expected, atol=1e-5)


@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_accumulated_batches_equal_one_large_batch(clip_norm):
    """Gradients of rows, of which each batch names others."""
    halves = [[([1.0, 0.0], 0), ([4.0, 2.0], 1)], [([0.0, 3.0], 1), ([1.0, 1.0], 3)]]

    def weights(batches, **options):
        matrix = keras.Variable(np.ones((4, 2), "float32"))
        adam = Adam(WarmupDecay(0.1, "linear", 1, 3), global_clipnorm=clip_norm, **options)
        for batch in batches * 2:
            values, rows = zip(*batch, strict=True)
            slices = tf.IndexedSlices(tf.constant(values) / len(rows), rows, tf.constant([4, 2]))
            adam.apply([slices], [matrix])
        return matrix.numpy()

    expected = weights([halves[0] + halves[1]])
    assert_allclose(weights(halves, gradient_accumulation_steps=2), expected, rtol=1e-6)
    # A half as it is would have been another step.
    assert np.abs(weights(halves) - expected).max() > 0.01


@pytest.mark.parametrize("updates_per_epoch", [0, 5])
def test_noting_the_norms_changes_no_step(updates_per_epoch):
    options = {"global_clipnorm": 0.5, "updates_per_epoch": updates_per_epoch}
    expected = trained(keras.optimizers.Adam(0.1, global_clipnorm=0.5), as_rows=False)
    assert_allclose(trained(Adam(0.1, **options), as_rows=True), expected, atol=1e-5)


@pytest.mark.parametrize("scale", [0.001, 1000.0])
def test_gradients_below_the_norm_stay_as_they_are(scale):
    # The second moment divides a constant scale away: epsilon makes the difference visible.
    options = {"global_clipnorm": 5.0, "epsilon": 0.1}
    expected = trained(keras.optimizers.Adam(0.1, **options), as_rows=False, scale=scale)
    found = trained(Adam(0.1, updates_per_epoch=5, **options), as_rows=True, scale=scale)
    assert_allclose(found, expected, atol=1e-5)
    plain = trained(keras.optimizers.Adam(0.1, epsilon=0.1), as_rows=False, scale=scale)
    assert np.allclose(found, plain, atol=1e-5) == (scale < 1)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_an_average_changes_no_step(amsgrad):
    expected = trained(Adam(0.1, amsgrad=amsgrad), as_rows=True)
    adam = Adam(0.1, amsgrad=amsgrad, average_decay=0.9)
    np.testing.assert_array_equal(trained(adam, as_rows=True), expected)
    # It lags behind.
    assert np.abs(adam.average.averages[0].numpy() - expected).max() > 0.01


def test_an_optimizer_comes_back_from_its_configuration():
    adam = Adam(0.1, updates_per_epoch=7, average_decay=0.9, gradient_accumulation_steps=2)
    twin = keras.optimizers.deserialize(keras.optimizers.serialize(adam))
    assert (type(twin), twin.updates_per_epoch, twin.gradient_accumulation_steps) == (Adam, 7, 2)
    assert twin.average_decay == 0.9


def test_the_clipping_is_of_the_gradient_without_the_scale_of_the_loss():
    gradient = tf.constant([3.0, 4.0])

    def weight(scale):
        variable = keras.Variable(np.zeros(2, "float32"))
        adam = Adam(0.1, global_clipnorm=1.0, updates_per_epoch=1)
        optimizer = LossScale(adam, initial_scale=scale) if scale else adam
        optimizer.build([variable])
        optimizer.apply([gradient * (scale or 1.0)], [variable])
        return variable.numpy(), adam.norms.read()[0]["gradient_norm"]

    assert_allclose(weight(2.0**15)[0], weight(None)[0])
    assert weight(2.0**15)[1] == weight(None)[1] == 5.0


def test_a_gradient_that_is_not_finite_is_left_out_and_lowers_the_scale():
    variable = keras.Variable(np.ones(2, "float32"))
    optimizer = LossScale(Adam(0.1, updates_per_epoch=1), initial_scale=8.0)
    optimizer.build([variable])
    optimizer.apply([tf.constant([1.0, np.inf])], [variable])
    assert_allclose(variable, 1.0)
    assert float(optimizer.dynamic_scale) == 4.0
    assert optimizer.inner_optimizer.norms.read() == ({}, [])
