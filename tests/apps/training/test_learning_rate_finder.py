"""The range test, on a parabola whose rates are known, and from the command line."""

import csv
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.training import learning_rate_finder
from apps.training.learning_rate_finder import RangeTest, command_with, range_test, suggestion
from models.classification.classifier import TextClassifier
from models.optimization.r_drop import RDrop

pytestmark = pytest.mark.drawn

WRITTEN = ["run-learning-rate.csv", "run-learning-rate.png"]


class ToyBatches:
    """A hundred batches of one row, whose targets are 1 and -1 in turn."""

    def __init__(self):
        self.epochs = []

    def dataset(self, epoch, start):
        self.epochs.append(epoch)
        targets = np.array([[1.0], [-1.0]] * 50, "float32")
        return tf.data.Dataset.from_tensor_slices((np.ones_like(targets), targets)).batch(1)


def parabola(optimizer, loss="mse"):
    """A weight w, from 3 on, with the losses (w - 1)^2 and (w + 1)^2. Their second derivative is 2:
    gradient descent diverges above a rate of 2 / 2 = 1."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[3.0]])])
    model.compile(optimizer, loss)
    return model


def rows_of(smoothed):
    rates = np.geomspace(1e-6, 10.0, len(smoothed))
    return [
        {"learning_rate": rate, "loss": loss, "smoothed_loss": loss}
        for rate, loss in zip(rates.tolist(), smoothed, strict=True)
    ]


def test_it_ends_where_gradient_descent_diverges():
    batches = ToyBatches()
    rows = range_test(parabola(keras.optimizers.SGD(0.5)), batches)
    # Swinging between the two targets, the loss is 1 / (1 - rate)^2: four at a half.
    assert 0.5 < rows[-1]["learning_rate"] < 1.2
    lowest = min(row["smoothed_loss"] for row in rows)
    assert rows[-1]["smoothed_loss"] > 4 * lowest > rows[-2]["smoothed_loss"]
    assert batches.epochs == list(range(len(batches.epochs)))
    # By the rate r the weight has shrunk by exp(-2 * 300 / 7 / ln(10) * r): to a third at 0.03.
    found = suggestion(rows)
    assert 0.01 < found.steepest < 0.1
    assert 0.01 < found.tenth < 0.05


def test_rates_rise_by_equal_factors_and_losses_are_of_single_batches():
    rows = range_test(parabola(keras.optimizers.SGD(0.5)), ToyBatches())
    assert [row["loss"] for row in rows[:3]] == pytest.approx([4.0, 16.0, 4.0], rel=1e-4)
    assert rows[0]["learning_rate"] == pytest.approx(1e-6)
    rates = [row["learning_rate"] for row in rows]
    factors = [after / before for before, after in itertools.pairwise(rates)]
    assert factors == pytest.approx([10 ** (7 / 299)] * len(factors))


def test_the_smoothed_loss_by_hand():
    # Weights 0.1 and 0.09: (0.09 * 4 + 0.1 * 16) / 0.19.
    rows = range_test(parabola(keras.optimizers.SGD(0.5)), ToyBatches())
    assert rows[0]["smoothed_loss"] == pytest.approx(4.0, rel=1e-4)
    assert rows[1]["smoothed_loss"] == pytest.approx(10.315789, rel=1e-4)


def test_with_accumulation_a_rate_is_that_of_an_update(monkeypatch):
    monkeypatch.setattr(learning_rate_finder, "UPDATES", 5)
    sgd = keras.optimizers.SGD(0.5, gradient_accumulation_steps=2)
    rows = range_test(parabola(sgd), ToyBatches(), accumulate=2)
    assert [row["learning_rate"] for row in rows] == pytest.approx(np.geomspace(1e-6, 10, 5))
    assert rows[0]["loss"] == pytest.approx((4.0 + 16.0) / 2, rel=1e-4)
    assert int(sgd.iterations) == 5


def test_a_loss_that_is_no_number_ends_it():
    def loss(y, y_pred):
        return tf.where(y_pred < 2.9, np.nan, y_pred)

    rows = range_test(parabola(keras.optimizers.SGD(0.5), loss), ToyBatches())
    assert 0 < len(rows) < 300
    assert np.isfinite([row["loss"] for row in rows]).all()


def test_the_step_is_not_traced_anew_for_a_rate():
    traced = []

    def loss(y, y_pred):
        traced.append(y)
        return (y - y_pred) ** 2

    range_test(parabola(keras.optimizers.SGD(0.5), loss), ToyBatches())
    assert len(traced) <= 2


def test_what_is_suggested_of_a_curve():
    power = np.linspace(-6, 1, 300)
    # Steepest at 10^-2, lowest near 10^-0.5, the first means too high.
    curve = 1 - 0.8 / (1 + np.exp(-4 * (power + 2))) + 3 * np.maximum(power + 0.5, 0) ** 2
    curve[:6] = [4.0, 3.0, 2.0, 1.5, 1.2, 1.1]
    found = suggestion(rows_of(curve))
    assert found.steepest == pytest.approx(10**-2, rel=0.1)
    assert found.tenth == pytest.approx(10**-1.5, rel=0.1)


@pytest.mark.parametrize(
    "curve",
    [np.linspace(1, 4, 300), np.ones(300), np.linspace(4, 1, 30)],
    ids=["rises", "stays", "is over at once"],
)
def test_nothing_is_suggested_of_a_loss_that_does_not_fall(curve):
    assert suggestion(rows_of(curve)) is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("train --find-lr", "train --learning-rate 0.0021"),
        ("train --find-lr --run 'my run'", "train --run 'my run' --learning-rate 0.0021"),
        ("train --learning-rate 3 --find-lr --units 3", "train --units 3 --learning-rate 0.0021"),
        ("train --find-lr --learning-rate=3", "train --learning-rate 0.0021"),
    ],
)
def test_the_command_trains_with_the_rate(command, expected):
    assert command_with(command, 0.00214) == expected


def test_the_optimizers_own_rate_is_a_variable_that_the_test_moves():
    model = parabola(keras.optimizers.SGD(0.5))
    test = RangeTest()
    model.fit(ToyBatches().dataset(0, 0), verbose=0, shuffle=False, callbacks=[test])
    assert float(model.optimizer.learning_rate) == pytest.approx(10 ** (-6 + 7 * 99 / 299))


# --- from the command line ---------------------------------------------------

OPTIONS = [
    *["train", "--find-lr", "--units", "3", "--embedding-dim", "4", "--max-tokens", "100"],
    *["--max-length", "8", "--no-characters", "--no-bidirectional", "--pooling", "last"],
]


@pytest.fixture
def short(monkeypatch):
    """A range test of fewer updates."""
    monkeypatch.setattr(learning_rate_finder, "UPDATES", 80)


@pytest.fixture
def measured(monkeypatch):
    """Losses that need no model, and fall."""
    rows = rows_of(np.linspace(2.0, 1.0, 80))
    monkeypatch.setattr(learning_rate_finder, "range_test", lambda *arguments: rows)


def assert_one_line(answer, *words):
    assert answer.status == 2
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1, answer.err
    assert all(word in answer.err for word in words), answer.err


def test_it_says_the_rate_and_the_command_and_leaves_a_table_and_a_picture(
    command, tmp_path, short
):
    answer = command(*OPTIONS, "--learning-rate", "7", "--run", tmp_path / "run")
    assert (answer.status, answer.err) == (0, "")
    line = next(line for line in answer.out.splitlines() if line.startswith("learning rate "))
    rate = line.split()[2].rstrip(",")
    assert 1e-6 < float(rate) < 1.0
    assert "fastest at " in line
    assert ": python -m apps.hate_speech train --units 3 " in line
    assert line.endswith(f"--run {tmp_path / 'run'} --learning-rate {rate}")
    # Neither a run nor an unfinished training.
    assert sorted(path.name for path in tmp_path.iterdir()) == WRITTEN
    rows = list(csv.DictReader((tmp_path / WRITTEN[0]).open()))
    assert list(rows[0]) == ["learning_rate", "loss", "smoothed_loss"]
    assert 42 <= len(rows) <= 80
    assert (tmp_path / WRITTEN[1]).read_bytes().startswith(b"\x89PNG")


def test_a_run_and_an_unfinished_training_stay_as_they_are(command, tiny_run, short):
    waiting = tiny_run.with_name(".run.training")
    (waiting / "checkpoints").mkdir(parents=True)
    (waiting / "checkpoints" / "checkpoint").write_text("")

    def state():
        folders = (tiny_run, waiting)
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    more = ["--accumulate", "2", "--average-weights", "0.9", "--batch-size", "32"]
    assert command(*OPTIONS, *more, "--run", tiny_run).status == 0
    assert state() == before


def test_it_tries_what_a_training_changes(command, tmp_path, monkeypatch):
    models = []

    def keep(model, *arguments):
        models.append(model)
        return rows_of(np.linspace(2.0, 1.0, 80))

    monkeypatch.setattr(learning_rate_finder, "range_test", keep)
    for more in ([], ["--r-drop", "1"]):
        assert command(*OPTIONS, *more, "--run", tmp_path / "run").status == 0
    assert [type(model) for model in models] == [TextClassifier, RDrop]


def test_too_few_rows_are_one_line(command, tmp_path):
    answer = command(*OPTIONS, "--batch-size", "400", "--run", tmp_path / "run")
    assert_one_line(answer, "would pass 300 times over the training split", "--batch-size")
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_does_not_fall_is_one_line_and_the_picture_shows_it(
    command, tmp_path, monkeypatch
):
    rows = rows_of(np.ones(80))
    monkeypatch.setattr(learning_rate_finder, "range_test", lambda *arguments: rows)
    answer = command(*OPTIONS, "--run", tmp_path / "run")
    assert_one_line(answer, "did not fall", "run-learning-rate.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == WRITTEN


def test_a_loss_that_is_never_a_number_is_one_line(command, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_rate_finder, "range_test", lambda *arguments: [])
    assert_one_line(command(*OPTIONS, "--run", tmp_path / "run"), "no number", "1e-06")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", ["--resume", "--restart"])
def test_it_excludes_what_is_about_another_training(command, other):
    assert_one_line(command(*OPTIONS, other), "--find-lr", other)


def test_a_place_that_cannot_be_written_is_one_line(command, tmp_path, measured):
    (tmp_path / "file").write_text("")
    answer = command(*OPTIONS, "--run", tmp_path / "file" / "run")
    assert_one_line(answer, "cannot write")


def test_beside_the_working_directory_is_a_place(command, tmp_path, measured, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    assert command(*OPTIONS, "--run", ".").status == 0
    assert sorted(path.name for path in tmp_path.glob("*-*")) == WRITTEN
