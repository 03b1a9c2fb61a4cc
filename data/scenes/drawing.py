"""Draws a scene: where its shapes lie, what they look like, and the PNG file of the picture."""

import io
import math
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
# By size: the least and the largest radius, in pixels.
_RADII = {"small": (4.5, 5.2), "large": (7.5, 8.5)}
# Between two shapes, and between a shape and the edge.
_GAP = 1.5
# Degrees by which a shape is turned at most.
_TURN = 12
# By how much a pixel is lighter or darker at most, of 255.
_GRAIN = 8
# Each pixel of an edge is the mean of as many points in either direction.
_POINTS = 4
# How far two groups may be apart in the other direction than the one that the caption names.
_SLANT = 0.5
# A layout that has no room for its last shape is begun again.
_TRIALS = 50


# Left, top, right and bottom.
_Box = tuple[float, float, float, float]


class _Place(NamedTuple):
    x: float
    y: float
    radius: float


def draw_scene(attributes: Attributes, seed: int) -> np.ndarray:
    """Draws a scene; the same arguments give the same picture.

    Args:
        attributes: what the picture shows.
        seed: of the places, the radii, the tints and the grain.

    Returns:
        <uint8>[64, 64, 3].
    """
    # NumPy's generators take longer to make than the picture, or change with its versions.
    random = Random(seed)
    canvas = np.full((SIDE, SIDE, 3), random.uniform(15, 75))
    for group, places in zip(attributes.groups, _choose_places(attributes, random), strict=True):
        tint = np.array([level + random.uniform(-12, 12) for level in _COLOURS[group.colour]])
        for place in places:
            _draw_shape(canvas, group.shape, place, tint, random.uniform(-_TURN, _TURN))
    grain = np.frombuffer(random.randbytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE, 1)
    canvas += _GRAIN * (grain / 127.5 - 1)
    return canvas.clip(0, 255).astype(np.uint8)


def encode_png(pixels: np.ndarray) -> bytes:
    """Returns the PNG file of a picture, <uint8>[height, width, 3]."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _choose_places(attributes: Attributes, random: Random) -> list[list[_Place]]:
    """Chooses the places of all shapes, by group: two groups have half of the picture each."""
    half = SIDE / 2
    halves: dict[str, list[_Box]] = {
        "": [(0, 0, SIDE, SIDE)],
        "left of": [(0, 0, half, SIDE), (half, 0, SIDE, SIDE)],
        "above": [(0, 0, SIDE, half), (0, half, SIDE, SIDE)],
    }
    boxes = halves[attributes.relation]
    while True:
        groups = [
            _place_group(group, box, random)
            for group, box in zip(attributes.groups, boxes, strict=True)
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


def _place_group(group: Group, box: _Box, random: Random) -> list[_Place]:
    """Places the shapes of a group in a box, none upon another."""
    left, top, right, bottom = box
    while True:
        places: list[_Place] = []
        for _ in range(_TRIALS):
            radius = random.uniform(*_RADII[group.size])
            margin = radius + _GAP
            x = random.uniform(left + margin, right - margin)
            y = random.uniform(top + margin, bottom - margin)
            place = _Place(x, y, radius)
            if all(_is_apart(place, other) for other in places):
                places.append(place)
            if len(places) == group.number:
                return places


def _is_apart(place: _Place, other: _Place) -> bool:
    distance = math.hypot(place.x - other.x, place.y - other.y)
    return distance >= place.radius + other.radius + _GAP


def _draw_shape(
    canvas: np.ndarray, shape: str, place: _Place, tint: np.ndarray, turn: float
) -> None:
    """Draws one shape into <float>[height, width, 3]."""
    reach = place.radius + 1
    left, top = int(place.x - reach), int(place.y - reach)
    right, bottom = math.ceil(place.x + reach), math.ceil(place.y + reach)
    across, down = (
        (np.arange((end - start) * _POINTS) + 0.5) / _POINTS + start - middle
        for start, end, middle in ((left, right, place.x), (top, bottom, place.y))
    )
    angle = math.radians(turn)
    x = (math.cos(angle) * across[None, :] + math.sin(angle) * down[:, None]) / place.radius
    y = (math.cos(angle) * down[:, None] - math.sin(angle) * across[None, :]) / place.radius
    inside = _INSIDE[shape](x, y).reshape(bottom - top, _POINTS, right - left, _POINTS)
    share = inside.mean(axis=(1, 3))[:, :, None]
    part = canvas[top:bottom, left:right]
    part += share * (tint - part)


def _in_triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Its corners lie on the circle; y grows downwards.
    return (y <= 0.5) & (math.sqrt(3) * np.abs(x) <= y + 1)


def _in_cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    near, far = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    return (near <= 0.3) & (far <= 0.95)


# Whether points lie in a shape of radius 1 about the origin.
_INSIDE = {
    "circle": lambda x, y: x**2 + y**2 <= 1,
    "square": lambda x, y: np.maximum(np.abs(x), np.abs(y)) <= 0.75,
    "triangle": _in_triangle,
    "cross": _in_cross,
}
