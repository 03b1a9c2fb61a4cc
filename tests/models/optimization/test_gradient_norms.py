import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.optimization.adam import Adam
from models.optimization.gradient_norms import layer_path

WEIGHTS = [keras.Variable(np.zeros(2, "float32"), name=name) for name in ("first", "second")]


def noted(gradients, updates, **options):
    """What an optimizer has noted after these gradients of two weights."""
    adam = Adam(0.1, updates_per_epoch=updates, **options)
    adam.build(WEIGHTS)
    for gradient in gradients:
        adam.apply([tf.constant(g, tf.float32) for g in gradient], WEIGHTS)
    return adam.norms.read()


def test_the_norm_is_that_of_the_whole_gradient_before_the_clipping():
    figures, curve = noted([([3, 0], [0, 4]), ([0, 0], [1, 0])], 2, global_clipnorm=2.0)
    assert figures == {"gradient_norm": 3.0, "gradient_norm_max": 5.0, "clipped": 0.5}
    assert curve == [
        {"updates": 1.0, "max": 5.0, "mean": 5.0, "first": 3.0, "second": 4.0},
        {"updates": 1.0, "max": 1.0, "mean": 1.0, "first": 0.0, "second": 1.0},
    ]


def test_without_clipping_nothing_is_clipped():
    assert noted([([3, 0], [0, 4])], 1)[0]["clipped"] == 0.0


def test_many_updates_share_entries():
    # Too many for an entry each.
    figures, curve = noted([([i, 0], [0, 0]) for i in range(5)], 130)
    assert [row["updates"] for row in curve] == [2.0, 2.0, 1.0]
    assert (curve[1]["mean"], curve[1]["max"]) == (2.5, 3.0)
    assert figures == {"gradient_norm": 2.0, "gradient_norm_max": 4.0, "clipped": 0.0}


def test_more_updates_than_foretold_join_the_last_entry():
    _, curve = noted([([i, 0], [0, 0]) for i in range(5)], 2)
    assert [(row["updates"], row["max"]) for row in curve] == [(1.0, 0.0), (4.0, 4.0)]


def test_what_was_noted_stays_until_it_is_forgotten():
    adam = Adam(0.1, updates_per_epoch=1)
    adam.build(WEIGHTS)
    assert adam.norms.read() == ({}, [])
    adam.apply([tf.ones(2)] * 2, WEIGHTS)
    assert adam.norms.read() == adam.norms.read()
    assert adam.norms.read()[1][0]["updates"] == 1.0
    adam.norms.reset()
    assert adam.norms.read() == ({}, [])


def test_accumulated_gradients_count_once_by_their_mean():
    gradients = [([4, 0], [0, 0]), ([0, 0], [0, 2])] * 2
    figures, curve = noted(gradients, 2, gradient_accumulation_steps=2, global_clipnorm=1.0)
    assert len(curve) == 2
    assert figures["gradient_norm"] == pytest.approx(np.hypot(2, 1))


def test_a_weight_without_a_gradient_has_none_of_the_norm():
    adam = Adam(0.1, updates_per_epoch=1)
    adam.build(WEIGHTS)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        adam.apply([None, tf.constant([0.0, 2.0])], WEIGHTS)
    assert adam.norms.read()[1][0] == {
        "updates": 1.0,
        "max": 2.0,
        "mean": 2.0,
        "first": 0.0,
        "second": 2.0,
    }


def test_what_is_noted_belongs_to_the_state_of_the_optimizer(tmp_path):
    adam, other = (Adam(0.1, updates_per_epoch=1) for _ in range(2))
    adam.build(WEIGHTS), other.build(WEIGHTS)
    adam.apply([tf.ones(2)] * 2, WEIGHTS)
    path = tf.train.Checkpoint(optimizer=adam).save(str(tmp_path / "c"))
    tf.train.Checkpoint(optimizer=other).restore(path)
    assert_allclose(other.norms.read()[0]["gradient_norm"], 2.0)


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        (
            "recurrent/bidirectional/forward_gru/gru_cell/kernel",
            "recurrent/bidirectional/forward_gru",
        ),
        ("logits/bias", "logits"),
        ("lstm_cell/kernel", "lstm_cell"),
        ("alone", "alone"),
    ],
)
def test_the_layer_stands_in_the_path(path, layer):
    assert layer_path(path) == layer
