"""Pictures of translations: BLEU by the length of the source, and where words looked."""

from pathlib import Path

import numpy as np

from apps.plots.training import plt, save


def bleu_by_length(curves: dict[str, list[dict]], path: Path) -> None:
    """Draws BLEU against the words of the source: a translator that has a vector of fixed length
    for all of it falls where those with attention do not.

    Args:
        curves: by title, `by_length` of `models.evaluation.translation.translation_report`.
        path: a .png file.
    """
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for title, rows in curves.items():
        middles = [(row["from"] + row["to"]) / 2 for row in rows]
        axes.plot(middles, [row["bleu"] for row in rows], marker="o", label=title)
    longest = max(curves.values(), key=len, default=[])
    labels = [f"{row['from']} - {row['to']}\n({row['sentences']:,})" for row in longest]
    axes.set_xticks([(row["from"] + row["to"]) / 2 for row in longest], labels)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("words of the source (sentences)")
    axes.set_ylabel("BLEU")
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        axes.legend()
    save(figure, path)


def alignment(source: list[str], target: list[str], weights: np.ndarray, path: Path) -> None:
    """Draws where each word of a translation looked.

    Args:
        source, target: their words.
        weights: <float>[target, source].
        path: a .png file.
    """
    size = (2 + 0.45 * len(source), 1.5 + 0.4 * len(target))
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), source, rotation=60, ha="right", parse_math=False)
    axes.set_yticks(range(len(target)), target, parse_math=False)
    axes.set_xlabel("source")
    axes.set_ylabel("target")
    figure.colorbar(image, label="attention", shrink=0.8)
    save(figure, path)
