"""The corpus of drawn scenes, whose test split has groups of shapes that training never shows."""

import hashlib
import itertools
from dataclasses import dataclass
from random import Random

import numpy as np

from data.examples.captions import CaptionCorpus, CaptionedPictures, Picture
from data.scenes.attributes import (
    COLOURS,
    NUMBERS,
    RELATIONS,
    REVERSED,
    SHAPES,
    SIZES,
    Attributes,
    Group,
)
from data.scenes.drawing import draw_scene, encode_png
from data.scenes.grammar import write_captions

SPLIT_SIZES = {"train": 2000, "validation": 200, "test": 200}
# All groups that there are, and the place of each among twelve, in a Latin square of a kind: any
# three of a number, a size, a colour and a shape are in several places.
_GROUPS = tuple(itertools.starmap(Group, itertools.product(NUMBERS, SIZES, COLOURS, SHAPES)))
_PLACES = {
    group: (
        4 * NUMBERS.index(group.number)
        + 3 * SIZES.index(group.size)
        + 2 * COLOURS.index(group.colour)
        + SHAPES.index(group.shape)
    )
    % 12
    for group in _GROUPS
}
# The groups that only these splits show, 12 of 144 each: three large red squares are never in
# training, but large red squares, three red squares, three large squares and three large red
# triangles are.
HELD_OUT = {
    split: tuple(group for group in _GROUPS if _PLACES[group] == place)
    for split, place in {"validation": 6, "test": 0}.items()
}
# What training shows.
_SEEN = tuple(group for group in _GROUPS if group not in {*itertools.chain(*HELD_OUT.values())})
REFERENCES = 3
_SEED = 20261128
# The share of scenes with one group of shapes.
_ALONE = 0.25


@dataclass(frozen=True)
class Scene:
    """A drawn picture of which it is known what it shows.

    Attributes:
        name: such as `scene-train-0001`.
        attributes: what it shows.
        seed: of the drawing.
    """

    name: str
    attributes: Attributes
    seed: int

    @property
    def digest(self) -> str:
        """The sha256 of what the picture is drawn from, hexadecimal."""
        return hashlib.sha256(repr((self.attributes, self.seed)).encode()).hexdigest()

    def pixels(self) -> np.ndarray:
        """Returns the picture, <uint8>[64, 64, 3]."""
        return draw_scene(self.attributes, self.seed)

    def read(self) -> bytes:
        """Returns the picture as a PNG file."""
        return encode_png(self.pixels())


def read_scenes() -> CaptionCorpus:
    """Makes the corpus: what the scenes show, and their captions. A read draws the picture.

    Every scene of the test split, and half of those of the validation split, has a group that no
    other split has; the rest of the validation split shows what training might, but no scene of it.
    """
    shown: set[Attributes] = set()
    splits = {}
    for place, (split, size) in enumerate(SPLIT_SIZES.items()):
        random = Random(_SEED + place)
        scenes: list[Picture] = []
        captions = []
        for number in range(size):
            new = () if split == "validation" and number % 2 else HELD_OUT.get(split, ())
            attributes = _choose_attributes(new, random)
            while split != "train" and attributes in shown:
                attributes = _choose_attributes(new, random)
            shown.add(attributes)
            scenes.append(Scene(f"scene-{split}-{number:04}", attributes, random.getrandbits(32)))
            captions.append(tuple(random.sample(write_captions(attributes), REFERENCES)))
        splits[split] = CaptionedPictures(scenes, captions)
    return CaptionCorpus.from_splits("scenes", splits)


def _choose_attributes(new: tuple[Group, ...], random: Random) -> Attributes:
    """Chooses what a scene shows; one of its groups is `new`, if there are such groups."""
    first = random.choice(new or _SEEN)
    if random.random() < _ALONE:
        return Attributes(first)
    while True:
        second = random.choice((*_SEEN, *new))
        # Of two groups of red circles, nobody could say which one is meant.
        if (second.shape, second.colour) != (first.shape, first.colour):
            break
    return Attributes.relate(first, random.choice((*RELATIONS, *REVERSED)), second)
