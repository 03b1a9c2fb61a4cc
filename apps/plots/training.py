"""Pictures of runs, as PNG files."""

import itertools
import math
import warnings
from pathlib import Path

import matplotlib
import numpy as np

from data.files.writing import whole_file

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

_MOST_CLASSES_WITH_NUMBERS = 20
_BIN_COLUMNS = ("sureness", "accuracy", "rows")
# `gradient_norms` draws them.
_GRADIENT_COLUMNS = ("gradient_norm", "gradient_norm_max", "clipped")


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
    save(figure, path)


def reliability(calibration: dict, path: Path) -> None:
    """Draws accuracy against sureness, before and after the temperature, and how many rows there
    are in each bin: calibrated scores lie on the diagonal.

    Args:
        calibration: of `models.classification.calibration.reliability`, with the `temperature` and
        the same
            `unscaled`.
        path: a .png file.
    """
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(5, 6), layout="constrained", sharex=True, height_ratios=(3, 1)
    )
    top.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    drawn = [("unscaled", calibration["unscaled"], "C7")]
    drawn.append((f"divided by {calibration['temperature']:.2f}", calibration, "C0"))
    for name, figures, colour in drawn:
        columns = {key: [row[key] for row in figures["bins"]] for key in _BIN_COLUMNS}
        label = f"{name}: calibration error {figures['ece']:.3f}"
        top.plot(columns["sureness"], columns["accuracy"], marker="o", label=label, color=colour)
    bottom.bar(columns["sureness"], columns["rows"], width=0.05, color="C0")
    top.set_ylabel("share that is right")
    # Above the curves: with few rows they may pass everywhere.
    top.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    bottom.set_ylabel("rows")
    bottom.set_xlabel("score of the answer")
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
    save(figure, path)


def training_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draws losses on the left, and the other validation metrics on the right, by epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = [int(row["epoch"]) + 1 for row in history]
    for name in history[0]:
        if name in ("epoch", "learning_rate", *_GRADIENT_COLUMNS):
            continue
        axes = left if name.endswith("loss") else right
        axes.plot(epochs, [row.get(name, np.nan) for row in history], marker="o", label=name)
    for axes, label in ((left, "loss"), (right, "validation metric")):
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)


def gradient_norms(rows: list[dict[str, float]], clip_norm: float, path: Path) -> None:
    """Draws, by update and on log axes, the norm of the whole gradient on the left and of each
    layer's part on the right: what explodes crosses the line of the clipping, what vanishes falls
    away below the others.

    Args:
        rows: of `gradient_norms.csv`.
        clip_norm: gradients were scaled down to it; 0 for never.
        path: a .png file.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(12, 4.5), layout="constrained", sharex=True, width_ratios=(3, 2)
    )
    columns = {name: [_positive(row.get(name)) for row in rows] for name in rows[0]}
    updates = columns["update"]
    left.fill_between(updates, columns["mean"], columns["max"], alpha=0.3, linewidth=0)
    left.plot(updates, columns["mean"], label="mean", linewidth=1.2)
    left.plot(updates, columns["max"], label="highest", linewidth=0.6, color="C0", alpha=0.6)
    if clip_norm:
        left.axhline(clip_norm, color="C3", linestyle="--", linewidth=1, label="clipped to")
    layers = list(rows[0])[list(rows[0]).index("mean") + 1 :]
    colours = plt.get_cmap("turbo")(np.linspace(0.05, 0.95, len(layers)))
    for layer, colour in zip(layers, colours, strict=True):
        right.plot(updates, columns[layer], label=layer, color=colour, linewidth=1)
    ends = [
        row["update"] for row, after in itertools.pairwise(rows) if row["epoch"] < after["epoch"]
    ]
    for axes, title in ((left, "gradient norm before clipping"), (right, "by layer, mean")):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.set_xlabel("update (epochs end at the grey lines)")
        axes.set_title(title, fontsize="medium")
        axes.grid(alpha=0.3, axis="y")
        for end in ends:
            axes.axvline(end, color="grey", linewidth=0.5, alpha=0.6)
    for axes, names in ((left, ["mean", "max"]), (right, layers)):
        shown = [value for name in names for value in columns[name] if value > 0]
        axes.set_ylim(*_range(shown + [clip_norm] * (axes is left and clip_norm > 0)))
    left.legend()
    figure.legend(*right.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    save(figure, path)


def learning_rates(rows: list[dict[str, float]], marks: dict[str, float], path: Path) -> None:
    """Draws the loss against the learning rate, whose axis is logarithmic.

    Args:
        rows: of a range test (`apps.training.learning_rate_finder`).
        marks: learning rates by what they are; each becomes a line.
        path: a .png file.
    """
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    rates, losses, smoothed = (
        np.array([row[name] for row in rows]) for name in ("learning_rate", "loss", "smoothed_loss")
    )
    axes.plot(rates, losses, linewidth=0.6, alpha=0.5, label="of an update")
    axes.plot(rates, smoothed, color="C0", linewidth=1.8, label="smoothed")
    for (label, rate), colour in zip(marks.items(), ("C1", "C2"), strict=False):
        axes.axvline(rate, color=colour, linestyle="--", label=f"{label}: {rate:.2g}")
    axes.set_xscale("log")
    # Single losses of the end are so high that nothing else could be seen.
    low, high = losses.min(), max(smoothed.max(), np.quantile(losses, 0.9))
    room = 0.05 * (high - low) or 0.05
    axes.set_ylim(low - room, high + room)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
    axes.set_title("learning-rate range test", fontsize="medium")
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)


def _range(values: list[float]) -> tuple[float, float]:
    """Returns the lowest and the highest with some room, two powers of ten apart at the least."""
    low, high = (min(values), max(values)) if values else (1.0, 1.0)
    room = max(1.3, (100 * low / high) ** 0.5)
    return low / room, high * room


def _positive(value: float | None) -> float:
    """Returns the value, or not a number where a log axis has no place for it."""
    return value if value is not None and 0 < value < math.inf else math.nan


def save(figure: Figure, path: Path, tight: bool = False) -> None:
    """Writes a figure as a PNG file, whole or not at all, and closes it; `tight` fits the picture
    to what is drawn, for figures without a layout of their own."""
    try:
        with whole_file(path) as partial, warnings.catch_warnings():
            # Names in scripts that the font lacks are drawn as boxes.
            warnings.filterwarnings("ignore", "Glyph")
            figure.savefig(partial, format="png", dpi=120, bbox_inches="tight" if tight else None)
    finally:
        plt.close(figure)
