import io
from itertools import chain, combinations

import numpy as np
import pytest
from PIL import Image

from data.scenes.attributes import Attributes, Group
from data.scenes.corpus import HELD_OUT, read_scenes
from data.scenes.drawing import draw_scene
from data.scenes.grammar import read_caption


@pytest.fixture(scope="module")
def corpus():
    return read_scenes()


def groups(part):
    return [{*scene.attributes.groups} for scene in part.pictures]


def parts(some, size):
    """Returns what groups have, by the places of so many attributes."""
    return {part for group in some for part in combinations(enumerate(group), size)}


def test_the_corpus_has_its_sizes_and_three_different_captions_a_picture(corpus):
    assert corpus.describe() == ("scenes: 2,000 train, 200 validation, 200 test; 7,200 captions")
    assert all(len(set(group)) == 3 for group in corpus.everything().captions)


def test_captions_say_what_their_scenes_show(corpus):
    everything = corpus.everything()
    for scene, group in zip(everything.pictures, everything.captions, strict=True):
        assert {read_caption(caption) for caption in group} == {scene.attributes}


def test_training_shows_all_groups_but_those_that_are_held_out(corpus):
    shown = set().union(*groups(corpus.splits["train"]))
    held_out = {*chain(*HELD_OUT.values())}
    assert (len(shown), len(held_out)) == (120, 24) and not shown & held_out
    assert Group(3, "large", "red", "square") in HELD_OUT["test"]


def test_training_shows_any_three_attributes_together(corpus):
    shown = set().union(*groups(corpus.splits["train"]))
    # Of 3 numbers, 2 sizes, 6 colours and 4 shapes.
    assert len(parts(shown, 3)) == 2 * 6 * 4 + 3 * 6 * 4 + 3 * 2 * 4 + 3 * 2 * 6
    assert parts(chain(*HELD_OUT.values()), 3) < parts(shown, 3)


def test_every_scene_of_the_test_split_has_a_group_that_no_other_split_has(corpus):
    new = set(HELD_OUT["test"])
    assert all(each & new for each in groups(corpus.splits["test"]))
    assert not any(each & new for each in groups(corpus.splits["validation"]))


def test_half_of_the_validation_split_has_groups_of_its_own_and_half_has_seen_ones(corpus):
    new = set(HELD_OUT["validation"])
    assert [bool(each & new) for each in groups(corpus.splits["validation"])] == [
        *[True, False] * 100
    ]
    assert not any(each & new for each in groups(corpus.splits["test"]))


def test_no_scene_of_another_split_is_one_of_training(corpus):
    shown, *others = (
        {scene.attributes for scene in part.pictures} for part in corpus.splits.values()
    )
    assert not any(shown & other for other in others)


def test_the_corpus_is_the_same_at_any_time(corpus):
    assert corpus.checksum == "46dc091da6e77247925326e27be28a94801551770c05850c7478005dc5f09211"


def test_a_picture_is_a_png_file_of_its_pixels(corpus):
    scene = corpus.splits["test"].pictures[0]
    with Image.open(io.BytesIO(scene.read())) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 64))
        assert np.array_equal(image, scene.pixels())


def count_blobs(mask):
    """Returns the centres of the connected parts of a mask, as rows and columns."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    return ndimage.center_of_mass(mask, labels, range(1, count + 1))


@pytest.mark.parametrize("seed", range(6))
def test_shapes_are_drawn_as_often_as_the_scene_says_and_where(seed):
    reds, blues = Group(3, "large", "red", "cross"), Group(2, "small", "blue", "triangle")
    pixels = draw_scene(Attributes(reds, "left of", blues), seed).astype(int)
    red, blue = (pixels[..., c] - pixels[..., 2 - c] > 60 for c in (0, 2))
    left, right = count_blobs(red), count_blobs(blue)
    assert (len(left), len(right)) == (3, 2)
    assert max(x for _, x in left) < 32 < min(x for _, x in right)
    assert red.sum() / 3 > 2 * blue.sum() / 2


def test_sizes_differ_by_their_areas():
    areas = {}
    for size in ("small", "large"):
        pixels = draw_scene(Attributes(Group(1, size, "red", "circle")), 3).astype(int)
        areas[size] = (pixels[..., 0] - pixels[..., 2] > 60).sum()
    assert np.pi * 3.2**2 < areas["small"] < np.pi * 4.2**2
    assert np.pi * 5.7**2 < areas["large"] < np.pi * 6.7**2


def test_nothing_is_drawn_beyond_the_edge_or_over_another_shape():
    for seed in range(20):
        three = Group(3, "large", "yellow", "square")
        pixels = draw_scene(Attributes(three, "above", three._replace(colour="blue")), seed)
        yellow = (pixels[..., 0] > 150).sum()
        blue = (pixels[..., 2] > 150).sum()
        # Half of the side is 0.85 of the radius.
        for area in (yellow, blue):
            assert area / 3 == pytest.approx((2 * 0.85 * 6.35) ** 2, rel=0.2)
