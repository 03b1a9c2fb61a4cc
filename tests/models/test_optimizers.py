import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.optimizers import Adam


def trained(optimizer, as_rows, steps=5):
    """A matrix after some steps whose gradients name rows more than once."""
    matrix = keras.Variable(np.ones((4, 2), "float32"))
    optimizer.build([matrix])
    generator = np.random.default_rng(0)
    for _ in range(steps):
        rows, values = generator.integers(0, 4, 6), generator.normal(size=(6, 2)).astype("float32")
        slices = tf.IndexedSlices(values, rows, tf.constant([4, 2]))
        optimizer.apply([slices if as_rows else tf.convert_to_tensor(slices)], [matrix])
    return matrix.numpy()


def test_rows_that_come_twice_count_as_their_sum():
    expected = trained(keras.optimizers.Adam(0.1), as_rows=False)
    assert_allclose(trained(Adam(0.1), as_rows=True), expected, atol=1e-5)
    # What this is for: Keras squares each row by itself.
    assert np.abs(trained(keras.optimizers.Adam(0.1), as_rows=True) - expected).max() > 1e-3


@pytest.mark.parametrize("options", [{"amsgrad": True}, {"global_clipnorm": 0.5}, {"ema": True}])
def test_options_work_as_in_keras(options):
    options = {"use_ema": True} if "ema" in options else options
    expected = trained(keras.optimizers.Adam(0.1, **options), as_rows=False)
    assert_allclose(trained(Adam(0.1, **options), as_rows=True), expected, atol=1e-5)
