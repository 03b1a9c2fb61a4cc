import keras
import pytest

from models.optimization.schedules import WarmupDecay
from models.registry import SCHEDULES


@pytest.mark.parametrize(
    ("shape", "at_the_start", "half_way", "at_the_end"),
    [
        ("constant", 2.0, 2.0, 2.0),
        ("linear", 2.0, 1.0, 0.0),
        ("cosine", 2.0, 1.0, 0.0),
        ("exponential", 2.0, 0.2, 0.02),
    ],
)
def test_the_learning_rate_at_chosen_steps(shape, at_the_start, half_way, at_the_end):
    rate = WarmupDecay(2.0, shape, warmup_steps=3, total_steps=13)
    # The rise is 1/4, 2/4, 3/4 of the highest; steps past the end stay at the end.
    expected = {
        0: 0.5,
        1: 1.0,
        2: 1.5,
        3: at_the_start,
        8: half_way,
        13: at_the_end,
        99: at_the_end,
    }
    assert {step: float(rate(step)) for step in expected} == pytest.approx(expected, abs=1e-6)


def test_a_cosine_falls_slowly_at_first():
    rate = WarmupDecay(1.0, "cosine", warmup_steps=0, total_steps=4)
    found = [float(rate(step)) for step in range(5)]
    assert found == pytest.approx([1.0, 0.853553, 0.5, 0.146447, 0.0], abs=1e-6)


def test_a_training_of_warm_up_alone_does_not_divide_by_zero():
    rate = WarmupDecay(1.0, "linear", warmup_steps=4, total_steps=4)
    assert float(rate(3)) == pytest.approx(0.8)
    assert float(rate(4)) == 1.0


@pytest.mark.parametrize("shape", SCHEDULES)
def test_the_configuration_makes_the_same_schedule(shape):
    rate = WarmupDecay(0.5, shape, warmup_steps=2, total_steps=9)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert twin.get_config() == rate.get_config()
    assert float(twin(5)) == float(rate(5))


def test_an_unknown_shape_is_refused_with_the_valid_ones():
    with pytest.raises(
        ValueError, match=r"'step'\. Choose one of: constant, linear, cosine, expon"
    ):
        WarmupDecay(1.0, "step", 0, 1)
