import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.optimization.adam import Adam, LossScale


def descended(optimizer, steps=5, run=lambda f: f):
    """A weight that begins at 10, and its average. The gradient is 1: each of Adam's updates takes
    the learning rate away."""
    weight = keras.Variable(np.array([10.0], "float32"))
    optimizer.build([weight])
    step = run(lambda: optimizer.apply([tf.constant([1.0])], [weight]))
    for _ in range(steps):
        step()
    adam = getattr(optimizer, "inner_optimizer", optimizer)
    return weight.numpy().item(), adam.average.averages[0].numpy().item()


# The weights are 9, 8, 7, 6, 5. A decay of 0.25 is reached with the third update: the first are
# 1/10 and 2/11. 0.1 * 10 + 0.9 * 9 = 9.1; (2 * 9.1 + 9 * 8) / 11 = 8.2; then 0.25 * 8.2 + 0.75 * 7
# = 7.3; 0.25 * 7.3 + 0.75 * 6 = 6.325; 0.25 * 6.325 + 0.75 * 5 = 5.33125.
AVERAGES = [9.1, 8.2, 7.3, 6.325, 5.33125]


@pytest.mark.parametrize("updates", [1, 2, 3, 4, 5])
def test_the_average_by_hand(updates):
    weight, average = descended(Adam(1.0, average_decay=0.25), updates)
    assert weight == pytest.approx(10 - updates, rel=1e-5)
    assert average == pytest.approx(AVERAGES[updates - 1], rel=1e-5)


def test_before_its_decay_is_reached_each_update_counts_more():
    # (1 + t) / (10 + t) throughout: 0.1, 2/11, 3/12.
    _, average = descended(Adam(1.0, average_decay=0.999), 3)
    assert average == pytest.approx(0.25 * 8.2 + 0.75 * 7, rel=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_a_traced_step_has_the_same_average(jit):
    def run(step):
        return tf.function(step, jit_compile=jit)

    assert descended(Adam(1.0, average_decay=0.25), run=run)[1] == pytest.approx(5.33125, rel=1e-5)


def test_a_large_matrix_has_the_same_average():
    weight = keras.Variable(np.full((300, 300), 10.0, "float32"))
    adam = Adam(1.0, average_decay=0.25)
    adam.build([weight])
    step = tf.function(lambda: adam.apply([tf.ones((300, 300))], [weight]))
    for _ in range(5):
        step()
    assert_allclose(adam.average.averages[0], np.full((300, 300), 5.33125), rtol=1e-5)


@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_steps_that_only_accumulate_are_no_updates(run):
    adam = Adam(1.0, average_decay=0.25, gradient_accumulation_steps=3)
    assert descended(adam, 17, run)[1] == pytest.approx(5.33125, rel=1e-5)


def test_a_step_that_is_left_out_is_no_update():
    optimizer = LossScale(Adam(1.0, average_decay=0.25), initial_scale=1.0)
    weight = keras.Variable(np.array([10.0], "float32"))
    optimizer.build([weight])
    for gradient in (1.0, np.inf, 1.0, np.nan, 1.0):
        scale = float(optimizer.dynamic_scale)
        optimizer.apply([tf.constant([gradient * scale])], [weight])
    average = optimizer.inner_optimizer.average.averages[0]
    assert average.numpy().item() == pytest.approx(7.3, rel=1e-5)


def test_an_optimizer_built_in_its_first_step_begins_with_the_weights():
    weight = keras.Variable(np.array([10.0], "float32"))
    adam = Adam(1.0, average_decay=0.25)
    tf.function(lambda: adam.apply([tf.constant([1.0])], [weight]))()
    assert adam.average.averages[0].numpy().item() == pytest.approx(9.1, rel=1e-5)


def test_the_averages_are_variables_of_the_optimizer():
    weight = keras.Variable(np.array([10.0], "float32"))
    adam = Adam(1.0, average_decay=0.25)
    adam.build([weight])
    assert any(variable is adam.average.averages[0] for variable in adam.variables)


def test_keras_own_average_is_another():
    # What this is for; should Keras learn to count updates, and to begin with them, it can go.
    weight = keras.Variable(np.array([10.0], "float32"))
    optimizer = keras.optimizers.Adam(
        1.0, use_ema=True, ema_momentum=0.25, gradient_accumulation_steps=2
    )
    optimizer.build([weight])
    for _ in range(10):
        optimizer.apply([tf.constant([1.0])], [weight])
    found = optimizer._model_variables_moving_average[0].numpy().item()
    assert abs(found - 5.33125) > 0.05
