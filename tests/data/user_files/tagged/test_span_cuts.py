import numpy as np
import pytest

from data.examples.tagged import TaggedText, TaggedTexts
from data.examples.tags import Span
from data.text.tag_preprocessor import tokenize_all
from data.user_files.tagged.span_cuts import (
    cut_at,
    cut_shared_tokens,
    find_inner_ends,
    find_words_with_inner_ends,
)

TEXT = "In Graz-Lyon it rains."
BOTH = (Span(3, 7, "LOC"), Span(8, 12, "LOC"))
# "In", "Graz-Lyon", "it", "rains", "."
STARTS, ENDS = np.array([0, 3, 13, 16, 21]), np.array([2, 12, 15, 21, 22])


@pytest.mark.parametrize(
    ("spans", "cuts"),
    [
        (BOTH, [7, 8]),
        ((Span(3, 12, "LOC"),), []),
        ((Span(0, 7, "LOC"),), [7]),
        ((Span(2, 13, "LOC"), Span(17, 22, "LOC")), [17]),
        ((), []),
    ],
)
def test_spans_that_begin_or_end_inside_of_tokens_are_found(spans, cuts):
    assert find_inner_ends(STARTS, ENDS, spans).tolist() == cuts


def test_tokens_are_cut_in_order():
    starts, ends = cut_at(STARTS, ENDS, np.array([7, 8]))
    assert [TEXT[a:b] for a, b in zip(starts, ends, strict=True)] == [
        *("In", "Graz", "-", "Lyon", "it", "rains", ".")
    ]


def test_tokens_of_several_spans_are_cut_for_training():
    rows = [
        TaggedText(TEXT, BOTH),
        # Of one span: it is learned as the model will read it.
        TaggedText("Graz-based firms", (Span(0, 4, "LOC"),)),
        TaggedText("", ()),
        TaggedText.from_tokens(["Graz-Lyon", "is"], ["B-LOC", "O"]),
    ]
    examples = TaggedTexts(rows)
    tokens, words = cut_shared_tokens(tokenize_all(examples.texts), examples)
    assert words == ["Graz-Lyon"]
    assert [[token.decode() for token in row] for row in tokens.strings.to_list()] == [
        ["In", "Graz", "-", "Lyon", "it", "rains", "."],
        ["Graz-based", "firms"],
        [],
        ["Graz-Lyon", "is"],
    ]
    assert tokens.starts.to_list()[0] == [0, 3, 7, 8, 13, 16, 21]
    assert tokens.ends.to_list()[0] == [2, 7, 8, 12, 15, 21, 22]
    uncut = tokenize_all(examples.texts)
    assert find_words_with_inner_ends(uncut, examples) == ["Graz-Lyon", "Graz-based"]


def test_without_shared_tokens_nothing_changes():
    examples = TaggedTexts([TaggedText(TEXT, (Span(3, 12, "LOC"),))])
    tokens = tokenize_all(examples.texts)
    assert cut_shared_tokens(tokens, examples) == (tokens, [])
    assert find_words_with_inner_ends(tokens, examples) == []
