import keras
import numpy as np
import pytest

from apps.training.divergence import Diverged, StopOnDivergence, check_metrics, check_weights


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_figures_that_are_no_numbers_name_the_moment_and_the_remedies(value):
    check_metrics({"loss": 0.5}, "on validation")
    with pytest.raises(Diverged, match=rf"gives {value} on validation\. Lower --learning-rate or"):
        check_metrics({"loss": 0.5, "score": value}, "on validation")


def test_a_weight_that_is_no_number_names_the_step(model):
    check_weights(model, 3)
    model.set_weights([np.array([[np.nan]])])
    with pytest.raises(Diverged, match="gives nan as weights after step 3"):
        check_weights(model, 3)


def test_large_weights_are_numbers(model):
    model.set_weights([np.array([[3e38]])])
    check_weights(model, 3)


def test_a_divergence_is_noticed_in_its_step(model):
    # Batches of one row: the third has no loss.
    x = np.array([[1.0], [2.0], [np.nan], [4.0]], "float32")
    with pytest.raises(Diverged, match="gives nan as loss in step 3"):
        model.fit(
            x,
            np.ones_like(x),
            batch_size=1,
            shuffle=False,
            verbose=0,
            callbacks=[StopOnDivergence()],
        )
