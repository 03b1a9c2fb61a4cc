import numpy as np
import pytest

from data.examples.tags import (
    Span,
    bio_names,
    find_entities,
    find_scheme,
    spans_to_tags,
    tags_to_spans,
)

# One sequence of entities in every scheme: X of two tokens, X of one right behind it, Y of one.
SCHEMES = {
    "IOB1": "O I-X I-X B-X O I-Y",
    "BIO": "O B-X I-X B-X O B-Y",
    "BIOES": "O B-X E-X S-X O S-Y",
}
ENTITIES = [(1, 3, "X"), (3, 4, "X"), (5, 6, "Y")]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_is_recognised_and_has_the_same_entities(scheme):
    tags = SCHEMES[scheme].split()
    assert find_scheme([tags]) == scheme
    assert find_entities(tags) == ENTITIES


def test_bilou_is_bioes_with_other_letters():
    tags = SCHEMES["BIOES"].replace("E-", "L-").replace("S-", "U-").split()
    assert (find_scheme([tags]), find_entities(tags)) == ("BIOES", ENTITIES)


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("B-X E-X I-X", [(0, 2, "X"), (2, 3, "X")]),
        ("S-X I-X", [(0, 1, "X"), (1, 2, "X")]),
        ("B-X L-X L-X", [(0, 2, "X"), (2, 3, "X")]),
        ("U-X E-X O", [(0, 1, "X"), (1, 2, "X")]),
    ],
)
def test_an_entity_that_has_ended_does_not_go_on(tags, entities):
    assert find_entities(tags.split()) == entities


@pytest.mark.parametrize("tags", ["O I-X I-X O I-Y I-creative-work", "O X X O Y creative-work"])
def test_io_has_an_entity_for_each_run_of_a_type(tags):
    assert find_scheme([tags.split()]) == "IO"
    expected = [(1, 3, "X"), (4, 5, "Y"), (5, 6, "creative-work")]
    assert find_entities(tags.split()) == expected


def test_an_inside_without_a_beginning_begins_an_entity():
    assert find_entities(["O", "I-X", "I-Y", "B-Y"]) == [(1, 2, "X"), (2, 3, "Y"), (3, 4, "Y")]
    # One such slip makes no other scheme of a file.
    assert find_scheme([["O", "I-X", "O", "B-X"]]) == "BIO"


def test_tags_and_spans_are_each_others_inverse():
    starts, ends = [0, 2, 5, 9, 10], [1, 4, 8, 10, 12]
    spans = [Span(2, 8, "X"), Span(9, 10, "X"), Span(10, 12, "Y")]
    tags = spans_to_tags(np.array(starts), np.array(ends), spans, ("X", "Y"))
    names = [bio_names(("X", "Y"))[tag] for tag in tags]
    assert names == ["O", "B-X", "I-X", "B-X", "B-Y"]
    assert tags_to_spans(starts, ends, names) == spans


@pytest.mark.parametrize(
    ("span", "tags"),
    [((3, 6), [0, 1, 2]), ((0, 1), [1, 0, 0]), ((1, 2), [0, 0, 0]), ((4, 99), [0, 0, 1])],
)
def test_a_span_has_the_tokens_that_it_touches(span, tags):
    starts, ends = np.array([0, 2, 5]), np.array([1, 4, 8])
    assert spans_to_tags(starts, ends, [Span(*span, "X")], ("X",)).tolist() == tags


def test_of_two_spans_that_touch_one_token_the_first_has_it():
    starts, ends = np.array([0, 4]), np.array([3, 8])
    spans = [Span(0, 5, "X"), Span(5, 8, "Y")]
    assert spans_to_tags(starts, ends, spans, ("X", "Y")).tolist() == [1, 2]
