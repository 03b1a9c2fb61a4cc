import matplotlib.pyplot as plt
import numpy as np
import pytest

from apps.plots.training import (
    confusion_matrix,
    gradient_norms,
    learning_rates,
    reliability,
    training_curves,
)

pytestmark = pytest.mark.drawn


def png_size(path):
    """Width and height, read from the header."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@pytest.mark.parametrize(
    "names",
    [
        ("a", "b"),
        ("a very long name of a class indeed, with spaces", "b"),
        ("<b>", "%d {x} \\n"),
        pytest.param(
            ("from_$5_to_$10", "more"),
        ),
    ],
)
def test_a_confusion_matrix_is_drawn_for_any_names(tmp_path, names):
    confusion_matrix(np.array([[3, 1], [0, 0]]), names, tmp_path / "c.png")
    assert min(png_size(tmp_path / "c.png")) > 300
    assert [path.name for path in tmp_path.iterdir()] == ["c.png"]


@pytest.mark.filterwarnings("error")
def test_names_in_any_script_are_drawn_without_a_warning(tmp_path):
    confusion_matrix(np.eye(2, dtype=int), ("侮辱", "中立"), tmp_path / "c.png")


@pytest.mark.filterwarnings("error")
def test_a_class_that_never_occurs_is_no_division_by_zero(tmp_path):
    confusion_matrix(np.zeros((2, 2), int), ("a", "b"), tmp_path / "c.png")
    assert png_size(tmp_path / "c.png")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [0, 1, 200])
def test_a_reliability_diagram_is_drawn_for_any_number_of_bins(tmp_path, rows):
    bins = [{"sureness": 0.5 + i / 400, "accuracy": 0.6, "rows": i} for i in range(rows)]
    figures = {"ece": 0.1, "bins": bins}
    reliability({**figures, "temperature": 1.5, "unscaled": figures}, tmp_path / "r.png")
    assert min(png_size(tmp_path / "r.png")) > 300


@pytest.mark.parametrize(
    "history",
    [
        [{"epoch": 0, "loss": 1.5, "val_loss": 1.4, "val_f1": 0.5, "learning_rate": 0.1}],
        [{"epoch": 0, "loss": 1.5, "val_f1": 0.5}, {"epoch": 1, "loss": 1.25}],
        [{"epoch": 0, "loss": float("nan"), "val_f1": 0.5}, {"epoch": 1, "loss": 1.0}],
    ],
    ids=["one epoch", "a figure is missing", "not a number"],
)
def test_training_curves_are_drawn(tmp_path, history):
    training_curves(history, tmp_path / "t.png")
    width, height = png_size(tmp_path / "t.png")
    assert width > height > 300


NORMS = {"epoch": 0, "update": 1, "updates": 1, "max": 0.5, "mean": 0.5, "gru": 0.4, "logits": 0.1}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("clip_norm", [1.0, 0.0])
@pytest.mark.parametrize(
    "rows",
    [
        [NORMS],
        [NORMS, {**NORMS, "epoch": 1, "update": 2, "max": float("inf"), "mean": float("nan")}],
        [{**NORMS, "max": 0.0, "mean": 0.0, "gru": 0.0, "logits": 0.0}],
    ],
    ids=["one update", "exploded", "vanished"],
)
def test_gradient_norms_are_drawn(tmp_path, rows, clip_norm):
    gradient_norms(rows, clip_norm, tmp_path / "g.png")
    width, height = png_size(tmp_path / "g.png")
    assert width > height > 300


TEST = [{"learning_rate": 1e-6 * 10**i, "loss": 1.0, "smoothed_loss": 1.0} for i in range(3)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("marks", [{}, {"falls fastest": 1e-5, "a tenth of the lowest": 1e-5}])
@pytest.mark.parametrize(
    "rows", [TEST[:1], TEST, [*TEST, {**TEST[0], "loss": 1e30}]], ids=["one", "flat", "diverged"]
)
def test_a_range_test_is_drawn(tmp_path, rows, marks):
    learning_rates(rows, marks, tmp_path / "l.png")
    width, height = png_size(tmp_path / "l.png")
    assert width > height > 300


def test_no_figure_stays_open(tmp_path):
    plt.close("all")
    confusion_matrix(np.eye(2), ("a", "b"), tmp_path / "c.png")
    training_curves([{"epoch": 0, "loss": 1.0, "val_f1": 0.5}], tmp_path / "t.png")
    learning_rates(TEST, {}, tmp_path / "l.png")
    assert plt.get_fignums() == []
