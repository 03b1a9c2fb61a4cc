"""The picture of a bias report."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from apps.plots.training import save
from models.evaluation.bias import AUCS

_LOWEST = 0.5


def bias_picture(report: dict, path: Path) -> None:
    """Draws the AUCs by group as a heat map on the left, and on the right how often a swapped term
    changes the answer.

    Args:
        report: of `apps.tasks.classification.bias.bias_report`.
        path: a .png file.
    """
    groups = report["groups"]
    height = min(max(2.2 + 0.34 * len(groups), 3), 40)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, height), layout="constrained", sharey=True, width_ratios=(3, 2)
    )
    if groups:
        _draw_aucs(figure, left, list(groups.values()))
        _draw_flips(right, list(groups.values()))
        labels = [
            f"{name} ({group['texts']}, {group['positive']})" for name, group in groups.items()
        ]
        # parse_math: a "$" in a name is no formula.
        left.set_yticks(range(len(groups)), labels, parse_math=False)
        left.set_ylim(len(groups) - 0.5, -0.5)
        _draw_kinds((left, right), [group["kind"] for group in groups.values()])
    else:
        left.set(xticks=[], yticks=[])
        right.set(xticks=[])
        left.text(0.5, 0.5, "no text names a group", ha="center", transform=left.transAxes)
    left.set_title(
        f"AUC of the score of {report['class']}\n(texts that name the group, of them of the class)",
        fontsize="medium",
        parse_math=False,
    )
    right.set_title(
        "answers that change with a swapped term\n"
        "(of how many; what the group's own adds to the score)",
        fontsize="medium",
    )
    save(figure, path)


def _draw_aucs(figure: Figure, axes: Axes, groups: list[dict]) -> None:
    values = np.array([[group[name] for name in AUCS] for group in groups], float)
    axes.set_facecolor("0.9")
    image = axes.imshow(values, cmap="Blues_r", vmin=_LOWEST, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            axes.text(column, row, "too few", ha="center", va="center", color="0.5", fontsize=8)
            continue
        interval = groups[row]["intervals"][list(AUCS)[column]]
        ends = f" ({interval[0]:.2f} - {interval[1]:.2f})" if interval else ""
        colour = "white" if value < 0.5 * (_LOWEST + 1) else "black"
        text = f"{value:.3f}{ends}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(AUCS)), AUCS.values())
    axes.tick_params(axis="x", top=False)
    figure.colorbar(image, ax=axes, label="0.5: no better than chance", extend="min", aspect=40)


def _draw_flips(axes: Axes, groups: list[dict]) -> None:
    rates = [group["flip_rate"] for group in groups]
    axes.barh(range(len(groups)), [100 * (rate or 0.0) for rate in rates], height=0.6, color="C0")
    for row, (group, rate) in enumerate(zip(groups, rates, strict=True)):
        text = f" too few texts: {group['swapped_texts']}"
        if rate is not None:
            text = f" {100 * rate:.1f} % of {group['swaps']:,}; {group['score_rise']:+.3f}"
        axes.text(100 * (rate or 0.0), row, text, va="center", fontsize=8)
    # Room for the words beside the longest bar.
    axes.set_xlim(0, 2.2 * max(5.0, *(100 * (rate or 0.0) for rate in rates)))
    axes.set_xlabel("% of the swaps, each text counting once")
    axes.grid(alpha=0.3, axis="x")
    axes.set_axisbelow(True)


def _draw_kinds(both: tuple[Axes, Axes], kinds: list[str]) -> None:
    """A line where a kind ends, and its name at the right edge."""
    for row, kind in enumerate(kinds):
        if row == 0 or kind != kinds[row - 1]:
            both[1].annotate(
                kind,
                (1.02, row),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize="small",
                parse_math=False,
            )
            for axes in both:
                axes.axhline(row - 0.5, color="black", linewidth=0.6)
