import itertools

import pytest

from data.scenes.attributes import COLOURS, NUMBERS, RELATIONS, SHAPES, SIZES, Attributes, Group
from data.scenes.grammar import read_caption, write_captions

CIRCLES = Group(2, "small", "red", "circle")
SQUARE = Group(1, "large", "blue", "square")


def test_a_single_group_has_these_wordings():
    assert write_captions(Attributes(CIRCLES)) == [
        "two small red circles",
        "two little red circles",
        "there are two small red circles",
        "there are two little red circles",
    ]


@pytest.mark.parametrize(
    "caption",
    [
        "two small red circles left of a large blue square",
        "there are two little red circles to the left of one big blue square",
        "a large blue square right of two small red circles",
        "there is a big blue square with two small red circles on its left",
        "two small red circles with a large blue square on their right",
    ],
)
def test_either_group_may_stand_first(caption):
    scene = Attributes(CIRCLES, "left of", SQUARE)
    assert read_caption(caption) == scene
    assert caption in [*write_captions(scene), *write_captions(scene, turned=True)]


def test_the_group_on_the_left_is_named_first_unless_turned():
    scene = Attributes(CIRCLES, "left of", SQUARE)
    assert {caption.removeprefix("there are ")[:3] for caption in write_captions(scene)} == {"two"}
    turned = write_captions(scene, turned=True)
    assert {caption.removeprefix("there is ")[:2] for caption in turned} == {"a ", "on"}


@pytest.mark.parametrize(
    "caption",
    [
        "a large blue square under two small red circles",
        "two small red circles over a large blue square",
        "one big blue square with two little red circles above it",
        "two small red circles with one large blue square below them",
    ],
)
def test_above_is_below_seen_from_the_other_group(caption):
    assert read_caption(caption) == Attributes(CIRCLES, "above", SQUARE)


def test_reading_is_the_inverse_of_writing_whatever_the_scene_shows():
    groups = [Group(*each) for each in itertools.product(NUMBERS, SIZES, COLOURS, SHAPES)]
    pairs = zip(groups, groups[1:] + groups[:1], strict=True)
    scenes = [Attributes(group) for group in groups]
    scenes += [Attributes(*pair[:1], RELATIONS[i % 2], pair[1]) for i, pair in enumerate(pairs)]
    for scene in scenes:
        for caption in [*write_captions(scene), *write_captions(scene, turned=True)]:
            assert read_caption(caption) == scene, caption


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "two small red circle",
        "a small red circles",
        "there is two small red circles",
        "two small red circles left of",
        "two small red circles left of a large blue square above a small red cross",
        "a large blue square with two small red circles on their left",
        "two red small circles",
        "two small red circles .",
    ],
)
def test_what_is_no_sentence_of_the_grammar_says_nothing(caption):
    assert read_caption(caption) is None
