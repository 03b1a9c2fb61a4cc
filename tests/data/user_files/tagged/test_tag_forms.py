import time
from collections import Counter

import pytest

from data.user_files.tagged.tag_forms import (
    NotTags,
    describe_entity_share,
    read_tags,
    recognise_form,
)

# Two tokens of X, one of Y, in what files write; `O` between them where it is not said.
BIO = ["B-X", "I-X", "O", "B-Y"]
FORMS = {
    "BIO": ("B-X I-X O B-Y", BIO, ()),
    "BIOES": ("B-X E-X O S-Y", ["B-X", "E-X", "O", "S-Y"], ()),
    "BMES": ("B-X M-X E-X O S-Y", ["B-X", "I-X", "E-X", "O", "S-Y"], ("the prefix M taken as I",)),
    "BMEWO": ("B-X E-X O W-Y", ["B-X", "E-X", "O", "S-Y"], ("the prefix W taken as S",)),
    "bare types": ("X X O Y", ["I-X", "I-X", "O", "I-Y"], ()),
    "a type with a hyphen": ("E-mail O creative-work", ["I-E-mail", "O", "I-creative-work"], ()),
    "underscores": ("B_X I_X O B_Y", BIO, ("tags of the form B_X, taken as B-X",)),
    "colons": ("B:X I:X O B:Y", BIO, ("tags of the form B:X, taken as B-X",)),
    "letters behind": ("X-B X-I O Y-B", BIO, ("tags of the form X-B, taken as B-X",)),
    "underscores before letters": (
        "X_B X_I O Y_B",
        BIO,
        ("tags of the form X_B, taken as B-X",),
    ),
    "small letters": (
        "b-X i-X o b-Y",
        BIO,
        ("tags of the form b-X, taken as B-X", "'o' taken as O"),
    ),
    "letters alone": (
        "B I O B",
        ["B-ENTITY", "I-ENTITY", "O", "B-ENTITY"],
        ("B, I and O without a type, taken as the type ENTITY",),
    ),
    "a zero for O": ("B-X I-X 0 B-Y", BIO, ("'0' taken as O",)),
    "a dash for O": ("X - Y -", ["I-X", "O", "I-Y", "O"], ("'-' taken as O",)),
    "features": (
        "name=B-X SpaceAfter=No|name=I-X name=O name=B-Y",
        BIO,
        ("tags read from name=",),
    ),
    "features where some are absent": (
        "NE=B-X Gloss=a|NE=I-X _ NE=B-Y",
        BIO,
        ("tags read from NE=",),
    ),
    "brackets": (
        "(X* *) * (Y)",
        ["B-X", "I-X", "O", "B-Y"],
        ("tags in brackets, as in CoNLL-2012",),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_tags_is_recognised_and_reported(name):
    cells, expected, notes = FORMS[name]
    tags, form = read_tags([cells.split()])
    assert tags == [expected]
    assert form.notes == notes


@pytest.mark.parametrize(
    ("cells", "wrong", "reason"),
    [
        ("0.8 0.9", ["0.8", "0.9"], "not tags"),
        ("O 3 O 7", ["3", "7"], "not tags"),
        ("B-X I-X O Y", ["Y"], "not tags, though others have the form B-PER"),
        ("B_X I_X O BB_O_X", ["BB_O_X"], "not tags, though others have the form B_PER"),
        ("B-X|B-Y O", ["B-X|B-Y"], "several tags in one cell"),
        ("B-X:0.9 I-X:0.7 O", ["B-X:0.9", "I-X:0.7"], "tags with numbers after them"),
        ("B-X:0.9 O:0.7", ["O:0.7"], "not tags, though others have the form B-PER"),
        ("NNP , O", [","], "not tags"),
        ("_ SpaceAfter=No", ["SpaceAfter=No"], "features, not tags"),
        (
            "a=B-X|b=B-Y a=O|b=I-Y",
            ["a=B-X|b=B-Y", "a=O|b=I-Y"],
            "features, not tags: a, b hold",
        ),
        ("(X* (Y* * *)", ["(Y*"], "brackets inside of others"),
        ("* *) *", ["*)"], "brackets inside of others, or closed before they open"),
        ("(X* *", ["(X*"], "a bracket that does not close"),
        ("(X* *) - O", ["(X*", "*)", "-"], "not tags"),
        ("_ -", ["-", "_"], "not tags"),
    ],
)
def test_cells_that_are_no_tags_are_named(cells, wrong, reason):
    with pytest.raises(NotTags) as refusal:
        read_tags([cells.split()])
    assert refusal.value.cells == wrong
    assert reason in refusal.value.reason


def test_a_column_of_words_has_no_types():
    words = [f"word{number}" for number in range(21)]
    with pytest.raises(NotTags, match="21 different words"):
        read_tags([[*words, "O"]])
    # As many types, each of them often, may be types.
    assert read_tags([[*words * 3, "O"]])[0][0][0] == "I-word0"


def test_where_nearly_every_token_is_in_an_entity_it_is_reported():
    assert "no cell is O" in describe_entity_share([["B-X"], ["B-X", "I-X"]])
    assert describe_entity_share([["B-X"] * 16 + ["O"] * 4]).startswith("80% of the tokens")
    assert describe_entity_share([["B-X"] * 15 + ["O"] * 5]) == ""
    # A few sentences may be so.
    assert describe_entity_share([["B-X", "I-X", "I-X", "I-X", "O"]]) == ""
    assert describe_entity_share([["O"]]) == ""


@pytest.mark.parametrize("cell", ["a" * 70_000, "a_" * 35_000, "(" + "a" * 70_000, "[" * 70_000])
def test_a_cell_of_any_length_is_told_from_a_tag_in_linear_time(cell):
    started = time.process_time()
    with pytest.raises(NotTags):
        recognise_form(Counter({cell: 1, "O": 5, "B-PER": 2, "*": 1}))
    assert time.process_time() - started < 5
