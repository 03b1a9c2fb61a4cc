"""Draws a scene: where its shapes lie, what they look like, and the PNG file of the picture."""

import io
import math
from itertools import product
from random import Random
from statistics import fmean
from typing import NamedTuple

import numpy as np
from PIL import Image

from data.scenes.attributes import Attributes, Group

SIDE = 64
_COLOURS = {
    "red": (214, 40, 40),
    "green": (46, 160, 67),
    "blue": (50, 90, 225),
    "yellow": (240, 215, 50),
    "purple": (150, 60, 190),
    "orange": (245, 135, 35),
}
_BACKGROUND = 30.0
# By how much a colour's red, green and blue differ at most, of 255.
_TINT = 6
# By size: the least and the largest radius, in pixels.
_RADII = {"small": (3.7, 4.0), "large": (6.2, 6.5)}
# Rows and columns of squares that have one shape each, or none.
_SQUARES = 4
# How far a shape may be from the middle of its square in either direction, in pixels.
_SHIFT = 1.0
# Each pixel of an edge is the mean of as many points in either direction.
_POINTS = 4
# How far two groups may be apart in the other direction than the one that the caption names.
_SLANT = 0.5


class _Place(NamedTuple):
    x: float
    y: float
    radius: float


def draw_scene(attributes: Attributes, seed: int) -> np.ndarray:
    """Draws a scene; the same arguments give the same picture.

    Args:
        attributes: what the picture shows.
        seed: of the places, the radii and the tints.

    Returns:
        <uint8>[64, 64, 3].
    """
    # NumPy's generators take longer to make than the picture, or change with its versions.
    random = Random(seed)
    canvas = np.full((SIDE, SIDE, 3), _BACKGROUND)
    for group, places in zip(attributes.groups, _choose_places(attributes, random), strict=True):
        levels = (level + random.uniform(-_TINT, _TINT) for level in _COLOURS[group.colour])
        tint = np.array([*levels])
        for place in places:
            _draw_shape(canvas, group.shape, place, tint)
    return canvas.clip(0, 255).astype(np.uint8)


def encode_png(pixels: np.ndarray) -> bytes:
    """Returns the PNG file of a picture, <uint8>[height, width, 3]."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _choose_places(attributes: Attributes, random: Random) -> list[list[_Place]]:
    """Chooses the places of all shapes, by group: each group has a block of two by two squares,
    those of two groups lie side by side or one upon the other."""
    half = _SQUARES // 2
    while True:
        start, other = random.randint(0, half), random.randint(0, half)
        # The column and the row of the first square of each block.
        corners = {
            "": [(start, other)],
            "left of": [(0, start), (half, start)],
            "above": [(start, 0), (start, half)],
        }[attributes.relation]
        groups = [
            _place_group(group, corner, random)
            for group, corner in zip(attributes.groups, corners, strict=True)
        ]
        if len(groups) == 1 or _is_plain(groups, attributes.relation):
            return groups


def _is_plain(groups: list[list[_Place]], relation: str) -> bool:
    """Returns whether nobody could say that one group is, say, above the other, which is left."""
    middles = [
        (fmean(place.x for place in places), fmean(place.y for place in places))
        for places in groups
    ]
    across, down = (abs(one - other) for one, other in zip(*middles, strict=True))
    return down <= _SLANT * across if relation == "left of" else across <= _SLANT * down


def _place_group(group: Group, corner: tuple[int, int], random: Random) -> list[_Place]:
    """Places the shapes of a group in squares of the block that begins at a column and a row."""
    squares = [*product(*(range(each, each + _SQUARES // 2) for each in corner))]
    places = []
    for square in random.sample(squares, group.number):
        x, y = ((each + 0.5) * SIDE / _SQUARES + random.uniform(-_SHIFT, _SHIFT) for each in square)
        places.append(_Place(x, y, random.uniform(*_RADII[group.size])))
    return places


def _draw_shape(canvas: np.ndarray, shape: str, place: _Place, tint: np.ndarray) -> None:
    """Draws one shape into <float>[height, width, 3]."""
    left, top = int(place.x - place.radius), int(place.y - place.radius)
    right, bottom = math.ceil(place.x + place.radius), math.ceil(place.y + place.radius)
    x, y = (
        ((np.arange((end - start) * _POINTS) + 0.5) / _POINTS + start - middle) / place.radius
        for start, end, middle in ((left, right, place.x), (top, bottom, place.y))
    )
    inside = _INSIDE[shape](*np.meshgrid(x, y))
    share = inside.reshape(bottom - top, _POINTS, right - left, _POINTS).mean(axis=(1, 3))
    part = canvas[top:bottom, left:right]
    part += share[:, :, None] * (tint - part)


def _in_triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # y grows downwards.
    return (y <= 0.8) & (2 * np.abs(x) <= y + 1)


def _in_cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    near, far = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    return (near <= 0.3) & (far <= 1)


# Whether points lie in a shape of radius 1 about the origin.
_INSIDE = {
    "circle": lambda x, y: x**2 + y**2 <= 1,
    "square": lambda x, y: np.maximum(np.abs(x), np.abs(y)) <= 0.85,
    "triangle": _in_triangle,
    "cross": _in_cross,
}
