import io
from itertools import combinations as pairs_of
from itertools import product

import numpy as np
import pytest
from PIL import Image

from data.scenes.attributes import COLOURS, SHAPES, SIZES, Attributes, Group
from data.scenes.corpus import HELD_OUT, read_scenes
from data.scenes.drawing import draw_scene
from data.scenes.grammar import read_caption


@pytest.fixture(scope="module")
def corpus():
    return read_scenes()


def combinations(part):
    return [scene.attributes.combinations for scene in part.pictures]


def test_the_corpus_has_its_sizes_and_three_different_captions_a_picture(corpus):
    assert corpus.describe() == ("scenes: 2,000 train, 200 validation, 200 test; 7,200 captions")
    assert all(len(set(group)) == 3 for group in corpus.everything().captions)


def test_captions_say_what_their_scenes_show(corpus):
    everything = corpus.everything()
    for scene, group in zip(everything.pictures, everything.captions, strict=True):
        assert {read_caption(caption) for caption in group} == {scene.attributes}


def test_training_shows_all_combinations_but_those_that_are_held_out(corpus):
    shown = set().union(*combinations(corpus.splits["train"]))
    held_out = {*HELD_OUT["validation"], *HELD_OUT["test"]}
    assert len(held_out) == 12
    assert shown == set(product(SIZES, COLOURS, SHAPES)) - held_out


def test_training_shows_any_two_of_a_size_a_colour_and_a_shape_together(corpus):
    shown = set().union(*combinations(corpus.splits["train"]))
    pairs = {pair for kind in shown for pair in pairs_of(kind, 2)}
    kinds = product(SIZES, COLOURS, SHAPES)
    assert pairs == {pair for kind in kinds for pair in pairs_of(kind, 2)}


def test_every_scene_of_the_test_split_has_a_combination_that_no_other_split_has(corpus):
    new = set(HELD_OUT["test"])
    assert all(each & new for each in combinations(corpus.splits["test"]))
    assert not any(each & new for each in combinations(corpus.splits["validation"]))


def test_half_of_the_validation_split_has_combinations_of_its_own_and_half_has_seen_ones(corpus):
    new = set(HELD_OUT["validation"])
    assert [bool(each & new) for each in combinations(corpus.splits["validation"])] == [
        *[True, False] * 100
    ]
    assert not any(each & new for each in combinations(corpus.splits["test"]))


def test_no_scene_of_another_split_is_one_of_training(corpus):
    shown, *others = (
        {scene.attributes for scene in part.pictures} for part in corpus.splits.values()
    )
    assert not any(shown & other for other in others)


def test_the_corpus_is_the_same_at_any_time(corpus):
    assert corpus.checksum == "7ef82bda57a77481203f43ea8d05c8f1e1355a3b851fededeb151412fc192a0a"


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
            assert area / 3 == pytest.approx((2 * 0.85 * 6.35) ** 2, rel=0.12)
