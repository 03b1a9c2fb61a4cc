import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from apps.config.training import TrainingConfig
from apps.training.fit import fit, optimizer, seed_everything
from data.errors import UserError
from models.optimization.adam import Adam, LossScale


class Validate:
    """Answers with figures by epoch and notes the weights; a figure may be an exception."""

    def __init__(self, *figures):
        self.figures, self.weights = figures, []

    def __call__(self, model):
        figure = self.figures[len(self.weights)]
        if isinstance(figure, type):
            raise figure
        self.weights.append(model.get_weights()[0])
        return {"score": figure}


class ToyBatches:
    """What `fit` asks of `data.batches.padded.Batches`."""

    def __init__(self, batches):
        self.batches = batches

    def steps(self, epoch):
        return int(self.batches.cardinality())

    def dataset(self, epoch, start):
        return self.batches.skip(start)


def toy():
    """One weight, and four examples of y = 2 x in two batches."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    x = np.array([[1.0], [2.0], [3.0], [4.0]], "float32")
    return model, ToyBatches(tf.data.Dataset.from_tensor_slices((x, 2 * x)).batch(2))


def train(folder, validate, loss="mse", **options):
    model, batches = toy()
    loss = keras.losses.get(loss)
    config = TrainingConfig(**{"epochs": len(validate.figures), "patience": 2, **options})
    return model, fit(model, batches, validate, loss, "score", config, folder)


def history(folder):
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_weights_of_the_best_epoch_are_kept(tmp_path):
    validate = Validate(0.1, 0.9, 0.5)
    model, ending = train(tmp_path, validate)
    assert_array_equal(model.get_weights()[0], validate.weights[1])
    assert not ending.stopped
    assert len(validate.weights) == 3


def test_without_a_validation_split_the_last_weights_are_kept(tmp_path):
    weights, rates = {}, {}
    for name, epochs in (("two of four", 2), ("four", None)):
        model, batches = toy()
        model.set_weights([np.ones((1, 1), "float32")])
        loss, folder = keras.losses.get("mse"), tmp_path / name
        folder.mkdir()
        config = TrainingConfig(epochs=4, patience=1)
        ending = fit(model, batches, None, loss, "score", config, folder, epochs=epochs)
        weights[name], rows = model.get_weights()[0].item(), history(folder)
        rates[name] = [row["learning_rate"] for row in rows]
        assert ending.epochs == len(rows) == (epochs or 4)
        assert not any(column.startswith("val_") for column in rows[0])
    assert 1.0 < weights["two of four"] < weights["four"]
    # The schedule is that of all epochs.
    assert rates["two of four"] == rates["four"][:2]


def test_it_stops_when_the_figure_no_longer_improves(tmp_path):
    validate = Validate(0.1, 0.9, 0.5, 0.9, 1.0)
    train(tmp_path, validate)
    assert len(validate.weights) == len(history(tmp_path)) == 4


def test_an_interruption_in_the_second_epoch_keeps_the_first(tmp_path):
    validate = Validate(0.1, KeyboardInterrupt)
    model, ending = train(tmp_path, validate)
    assert ending.stopped
    assert_array_equal(model.get_weights()[0], validate.weights[0])
    assert [row["epoch"] for row in history(tmp_path)] == ["0"]


def test_an_interruption_in_a_bad_epoch_keeps_the_best_one(tmp_path):
    validate = Validate(0.5, 0.1, KeyboardInterrupt)
    model, _ = train(tmp_path, validate)
    assert_array_equal(model.get_weights()[0], validate.weights[0])


def test_an_interruption_in_the_first_epoch_is_survived(tmp_path):
    model, ending = train(tmp_path, Validate(KeyboardInterrupt))
    assert ending.stopped
    assert np.isfinite(model.get_weights()[0]).all()
    assert history(tmp_path) == []


def test_any_other_failure_is_not_swallowed(tmp_path):
    with pytest.raises(ZeroDivisionError):
        train(tmp_path, Validate(ZeroDivisionError))


def test_a_training_that_diverged_at_once_is_a_mistake_with_a_remedy(tmp_path):
    with pytest.raises(UserError, match="--learning-rate"):
        train(tmp_path, Validate(0.1, 0.1), loss=lambda y, p: p * float("nan"))


def test_weights_that_are_not_finite_are_never_the_best(tmp_path):
    factor = tf.Variable(1.0)

    class ThenDiverges(Validate):
        def __call__(self, model):
            factor.assign(float("nan"))
            return super().__call__(model)

    # Deciding for the first class throughout may score 0.9.
    validate = ThenDiverges(0.1, 0.9)
    model, _ = train(tmp_path, validate, loss=lambda y, p: (y - p) ** 2 * factor)
    assert_array_equal(model.get_weights()[0], validate.weights[0])


def test_the_history_has_a_row_an_epoch_with_every_figure(tmp_path):
    train(tmp_path, Validate(0.25, 0.5), learning_rate=0.1, schedule="linear", warmup=0.0)
    rows = history(tmp_path)
    gradients = {"gradient_norm", "gradient_norm_max", "clipped"}
    assert rows[0].keys() == {"epoch", "learning_rate", "loss", "val_score"} | gradients
    assert [float(row["val_score"]) for row in rows] == [0.25, 0.5]
    # Two steps an epoch, along a line from 0.1 to 0 in four.
    assert_allclose([float(row["learning_rate"]) for row in rows], [0.05, 0.0], atol=1e-7)
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])


def test_tensorboard_finds_its_logs(tmp_path):
    train(tmp_path, Validate(0.5))
    assert list((tmp_path / "logs" / "train").glob("events.*"))


@pytest.mark.parametrize(
    ("options", "rates"),
    [
        ({"warmup": 0.0, "schedule": "constant"}, [0.5, 0.5, 0.5]),
        ({"warmup": 1.0, "schedule": "constant"}, [0.1, 0.2, 0.5]),
        ({"warmup": 0.0, "schedule": "linear"}, [0.5, 0.4375, 0.25]),
    ],
)
def test_the_learning_rate_follows_the_options(options, rates):
    config = TrainingConfig(learning_rate=0.5, epochs=2, **options)
    schedule = optimizer(config, steps_per_epoch=4)._learning_rate
    assert_allclose([schedule(step) for step in (0, 1, 4)], rates, rtol=1e-6)


@pytest.mark.parametrize(("clip_norm", "clipped"), [(1.0, 1.0), (0.0, None)])
def test_gradients_are_clipped_by_their_global_norm(clip_norm, clipped):
    found = optimizer(TrainingConfig(clip_norm=clip_norm), 1)
    assert (found.global_clipnorm, found.clipnorm, found.clipvalue) == (clipped, None, None)


def test_the_loss_is_scaled_for_float16_alone():
    assert isinstance(optimizer(TrainingConfig(mixed_precision="bfloat16"), 1), Adam)
    found = optimizer(TrainingConfig(mixed_precision="float16", accumulate=2), 2)
    assert isinstance(found, LossScale)
    inner = found.inner_optimizer
    assert (inner.global_clipnorm, inner.gradient_accumulation_steps) == (1.0, 2)


def test_steps_that_never_fill_an_update_are_refused():
    with pytest.raises(UserError, match="more than the 6 steps"):
        optimizer(TrainingConfig(accumulate=7, epochs=2), 3)


def test_a_compiled_step_leads_to_the_same_weights(tmp_path, compiled_steps):
    weights = []
    for jit in (False, True):
        seed_everything(TrainingConfig())
        model, _ = train(tmp_path, Validate(0.1, 0.2), jit=jit, learning_rate=0.1)
        weights.append(model.get_weights()[0])
    assert_allclose(*weights, rtol=1e-5)


def test_a_compiled_step_is_not_promised_to_repeat_exactly():
    with pytest.raises(UserError, match="--jit and --deterministic"):
        TrainingConfig(jit=True, deterministic=True).check()


def test_validated_and_kept_is_the_average_of_the_weights(tmp_path):
    raw = Validate(0.1, 0.9, 0.5)
    seed_everything(TrainingConfig())
    train(tmp_path / "raw", raw, learning_rate=0.1, warmup=0.0, schedule="constant")
    averaged = Validate(0.1, 0.9, 0.5)
    seed_everything(TrainingConfig())
    options = {"learning_rate": 0.1, "warmup": 0.0, "schedule": "constant", "average_weights": 0.9}
    model, _ = train(tmp_path / "averaged", averaged, **options)
    assert_array_equal(model.get_weights()[0], averaged.weights[1])
    # The raw ones went the same way, and the averages lag behind.
    losses = [[row["loss"] for row in history(tmp_path / name)] for name in ("raw", "averaged")]
    assert losses[0] == losses[1]
    for ahead, behind in zip(raw.weights, averaged.weights, strict=True):
        assert np.abs(ahead - behind).min() > 0.01


def test_an_interruption_before_the_first_validation_keeps_the_average_so_far(tmp_path):
    model, ending = train(tmp_path, Validate(KeyboardInterrupt), average_weights=0.9)
    assert ending.stopped
    average = model.optimizer.average.averages[0].numpy()
    assert_array_equal(model.get_weights()[0], average)
    checkpoint = tf.train.latest_checkpoint(tmp_path / "checkpoints")
    saved = tf.train.load_variable(checkpoint, "model/0/.ATTRIBUTES/VARIABLE_VALUE")
    assert np.abs(saved - average).min() > 0


def test_the_gradients_of_a_training_are_written_down(tmp_path):
    train(tmp_path, Validate(0.1, 0.2, KeyboardInterrupt), clip_norm=2.0, learning_rate=0.0)
    rows = list(csv.DictReader((tmp_path / "gradient_norms.csv").open()))
    # Two steps an epoch; the interrupted one is there too.
    assert [row["epoch"] for row in rows] == ["0", "0", "1", "1", "2", "2"]
    assert [row["update"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    figures = history(tmp_path)[0]
    norms = [float(row["max"]) for row in rows[:2]]
    assert float(figures["gradient_norm"]) == pytest.approx(sum(norms) / 2)
    assert float(figures["gradient_norm_max"]) == pytest.approx(max(norms))
    assert float(figures["clipped"]) == sum(norm > 2.0 for norm in norms) / 2
    assert list((tmp_path / "logs" / "gradients").glob("events.*"))


def test_the_seed_decides_the_weights():
    def weight(seed):
        seed_everything(TrainingConfig(seed=seed))
        return toy()[0].get_weights()[0].item()

    assert weight(1) == weight(1) != weight(2)
