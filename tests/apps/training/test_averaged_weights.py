import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from apps.training.averaged_weights import AveragedWeights, validated_weights
from models.optimization.adam import Adam, LossScale


@pytest.fixture(params=[lambda adam: adam, LossScale], ids=["plain", "scaled"])
def model(request):
    """Two weights that are 0.1 and 0.2, their averages 3 and 4, and one that is not trained."""
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1), keras.layers.Dense(1, use_bias=False)]
    )
    model.layers[1].trainable = False
    model.compile(request.param(Adam(0.1, average_decay=0.9)), "mse")
    model.optimizer.build(model.trainable_variables)
    model.set_weights([np.array([[0.1]]), np.array([0.2]), np.array([[0.5]])])
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    for average, value in zip(optimizer.average.averages, ([[3.0]], [4.0]), strict=True):
        average.assign(value)
    return model


def weights(model):
    return [weight.item() for weight in model.get_weights()]


RAW = [np.float32(0.1), np.float32(0.2), 0.5]


def test_the_averages_take_the_place_of_the_weights_for_a_while(model):
    with AveragedWeights(model):
        assert weights(model) == [3.0, 4.0, 0.5]
    assert_array_equal(weights(model), RAW)


def test_after_a_failure_the_weights_are_back(model):
    with pytest.raises(KeyboardInterrupt), AveragedWeights(model):
        raise KeyboardInterrupt
    assert_array_equal(weights(model), RAW)


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_weights_can_be_put_back_wherever_the_exchange_was_interrupted(model, monkeypatch, call):
    assign, calls = keras.Variable.assign, []

    def interrupted(self, value):
        calls.append(value)
        if len(calls) == call:
            raise KeyboardInterrupt
        return assign(self, value)

    averaged = AveragedWeights(model)
    with monkeypatch.context() as patch:
        patch.setattr(keras.Variable, "assign", interrupted)
        with pytest.raises(KeyboardInterrupt):
            averaged.put_in()
            averaged.put_back()
    averaged.put_back()
    assert_array_equal(weights(model), RAW)


def test_putting_back_again_undoes_no_training(model):
    averaged = AveragedWeights(model)
    with averaged:
        pass
    model.layers[0].kernel.assign([[7.0]])
    averaged.put_back()
    assert weights(model)[0] == 7.0


def test_validated_weights_are_averages_where_there_are_some(model):
    assert [value.item() for value in validated_weights(model)] == [3.0, 4.0, 0.5]


def test_without_averages_nothing_happens():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[2.0]])])
    for compiled in (False, True):
        if compiled:
            model.compile(Adam(0.1), "mse")
        with AveragedWeights(model):
            assert weights(model) == [2.0]
        assert validated_weights(model)[0].item() == 2.0
