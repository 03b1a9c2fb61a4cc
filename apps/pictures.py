"""Pictures of runs, as PNG files."""

import warnings
from pathlib import Path

import matplotlib
import numpy as np

from data.files import whole_file

matplotlib.use("Agg")
import matplotlib.pyplot as plt

_MOST_CLASSES_WITH_NUMBERS = 20


def confusion_matrix(matrix: np.ndarray, class_names: tuple[str, ...], path: Path) -> None:
    """Draws counts, coloured by the share of the true class.

    Args:
        matrix: <int>[num_classes, num_classes], rows are true, columns predicted classes.
        class_names: names of both.
        path: a .png file.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    size = min(2.5 + 0.9 * len(class_names), 20)
    figure, axes = plt.subplots(figsize=(size + 1, size), layout="constrained")
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    cells = np.ndenumerate(matrix) if len(class_names) <= _MOST_CLASSES_WITH_NUMBERS else ()
    for (row, column), count in cells:
        colour = "white" if shares[row, column] > 0.5 else "black"
        text = f"{count}\n{100 * shares[row, column]:.0f} %"
        axes.text(column, row, text, ha="center", va="center", color=colour)
    positions = range(len(class_names))
    # parse_math: a "$" in a name is no formula.
    axes.set_xticks(positions, class_names, rotation=30, ha="right", parse_math=False)
    axes.set_yticks(positions, class_names, parse_math=False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    figure.colorbar(image, label="share of the true class", shrink=0.8)
    _save(figure, path)


def training_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draws losses on the left, and the other validation figures on the right, by epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = [int(row["epoch"]) + 1 for row in history]
    for name in history[0]:
        if name in ("epoch", "learning_rate"):
            continue
        axes = left if name.endswith("loss") else right
        axes.plot(epochs, [row.get(name, np.nan) for row in history], marker="o", label=name)
    for axes, label in ((left, "loss"), (right, "validation figure")):
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    _save(figure, path)


def _save(figure, path: Path) -> None:
    try:
        with whole_file(path) as partial, warnings.catch_warnings():
            # Names in scripts that the font lacks are drawn as boxes.
            warnings.filterwarnings("ignore", "Glyph")
            figure.savefig(partial, format="png", dpi=120)
    finally:
        plt.close(figure)
