"""Pictures of captions: what each word looked at."""

import math
from pathlib import Path

import numpy as np

from apps.plots.training import plt, save

_COLUMNS = 5


def attention_map(
    picture: np.ndarray, words: list[str], shaded: list[np.ndarray], path: Path
) -> None:
    """Draws a picture, and once for each word with the places that the word looked at.

    Args:
        picture: <uint8>[size, size, 3].
        words: of the caption.
        shaded: the picture for each word, of the same shape.
        path: a .png file.
    """
    panels = [("", picture), *zip(words, shaded, strict=True)]
    rows = math.ceil(len(panels) / _COLUMNS)
    figure, grid = plt.subplots(
        rows, _COLUMNS, figsize=(1.7 * _COLUMNS, 1.95 * rows), layout="constrained", squeeze=False
    )
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (word, pixels) in zip(grid.flat, panels, strict=False):
        axes.imshow(pixels)
        axes.set_title(word, parse_math=False)
    save(figure, path)
