import pytest

from data.scenes.accuracy import scene_accuracy
from data.scenes.attributes import Attributes, Group

CIRCLES = Group(2, "small", "red", "circle")
SQUARE = Group(1, "large", "blue", "square")
PAIR = Attributes(CIRCLES, "left of", SQUARE)
RIGHT = dict.fromkeys(("caption", "sentence", "colour", "shape", "number", "size", "relation"), 1.0)


@pytest.mark.parametrize(
    ("caption", "wrong"),
    [
        ("two small red circles left of a large blue square", ()),
        ("a big blue square with two little red circles on its left", ()),
        ("two small red circles right of a large blue square", ("caption", "relation")),
        ("two small red circles above a large blue square", ("caption", "relation")),
        ("two small green circles left of a large blue square", ("caption", "colour")),
        ("two small red crosses left of a small blue square", ("caption", "shape", "size")),
        ("a large blue square right of three small red circles", ("caption", "number")),
        (
            "two small red circles",
            ("caption", "colour", "shape", "number", "size", "relation"),
        ),
        ("two small red circles left of", tuple(RIGHT)),
    ],
)
def test_a_caption_is_right_in_all_but_what_it_says_wrongly(caption, wrong):
    accuracy = scene_accuracy([caption], [PAIR])
    assert accuracy == {**RIGHT, **dict.fromkeys(wrong, 0.0), "scenes": 1}


def test_shares_are_means_over_scenes_and_relations_over_those_of_two_groups():
    captions = ["two small red circles", "a small red circle", "two small red circles left of a"]
    accuracy = scene_accuracy(captions, [Attributes(CIRCLES), Attributes(CIRCLES), PAIR])
    assert accuracy["caption"] == pytest.approx(1 / 3)
    assert accuracy["number"] == pytest.approx(1 / 3)
    assert accuracy["colour"] == accuracy["sentence"] == pytest.approx(2 / 3)
    assert accuracy["relation"] == 0.0
    assert "relation" not in scene_accuracy(captions[:1], [Attributes(CIRCLES)])
