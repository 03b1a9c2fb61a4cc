import contextlib

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.compilation import xla_loops
from models.optimization.embedding_gradient import dense_gradient


@pytest.fixture(params=[contextlib.nullcontext, xla_loops], ids=["native", "compiled"])
def way(request):
    """The native operator, if there is one, and what XLA compiles."""
    with request.param():
        yield


@pytest.mark.parametrize("rows", [[2], [0, 2, 0], list(range(9)) * 3])
@pytest.mark.parametrize("kind", [tf.int32, tf.int64])
def test_rows_stand_at_their_places_and_those_of_one_id_are_summed(way, rows, kind):
    values = np.random.default_rng(0).normal(size=(len(rows), 35)).astype("float32")
    expected = np.zeros((9, 35), "float32")
    np.add.at(expected, rows, values)

    @tf.function
    def dense(values):
        return dense_gradient(tf.IndexedSlices(values, tf.constant(rows, kind)), (9, 35))

    assert_allclose(dense(values), expected, atol=1e-6)
    assert dense.get_concrete_function(values).output_shapes == (9, 35)


def test_a_whole_gradient_stays_as_it_is():
    assert_allclose(dense_gradient(tf.ones((2, 3)), (2, 3)), np.ones((2, 3)))
