import time

import numpy as np
import pytest
import tensorflow as tf

from data.registry import TRUNCATIONS
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import Vocabularies, build_vocabularies

# Ids by position plus 2: <start> 2, the 3, cat 4, sat 5; letters t 2, a 3, c 4, h 5.
TOY = Vocabularies(["<start>", "the", "cat", "sat"], ["t", "a", "c", "h"])


def preprocessor(max_length=10, max_word_length=0, vocabularies=TOY, truncate="head"):
    return TextPreprocessor(vocabularies, "tweet", max_length, max_word_length, truncate)


def ids(texts, **options):
    return preprocessor(**options)(tf.constant(texts))["token_ids"].numpy().tolist()


def test_token_ids_by_hand():
    assert ids(["The CAT sat", "the dog"]) == [[2, 3, 4, 5], [2, 3, 1, 0]]


def test_an_empty_text_is_the_start_token_alone():
    assert ids(["", "  ", "cat"]) == [[2, 0], [2, 0], [2, 4]]
    assert ids([""]) == [[2]]


def test_texts_are_cut_at_max_length_without_counting_the_start_token():
    assert ids(["the cat sat", "sat"], max_length=2) == [[2, 3, 4], [2, 5, 0]]


LETTERS = Vocabularies(["<start>", *"abcdefgh"], ["a"])  # a is 3, h is 10


@pytest.mark.parametrize(
    ("truncate", "max_length", "expected"),
    [
        ("head", 4, [3, 4, 5, 6]),
        ("tail", 4, [7, 8, 9, 10]),
        ("head-tail", 4, [3, 8, 9, 10]),
        ("head-tail", 1, [10]),
        ("head-tail", 7, [3, 4, 6, 7, 8, 9, 10]),
        ("head-tail", 8, [3, 4, 5, 6, 7, 8, 9, 10]),
        ("tail", 9, [3, 4, 5, 6, 7, 8, 9, 10]),
    ],
)
def test_longer_texts_lose_the_part_that_was_chosen(truncate, max_length, expected):
    options = {"vocabularies": LETTERS, "truncate": truncate, "max_length": max_length}
    long, short, empty = (
        preprocessor(**options)
        .ragged(tf.constant(["a b c d e f g h", "a", ""]))["token_ids"]
        .to_list()
    )
    assert (long, short, empty) == ([2, *expected], [2, 3], [2])


@pytest.mark.parametrize("truncate", TRUNCATIONS)
def test_a_text_of_a_megabyte_is_cut_in_a_graph_within_seconds(truncate):
    layer = preprocessor(vocabularies=LETTERS, truncate=truncate, max_word_length=3)
    graph = tf.function(layer, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    graph(tf.constant(["a"]))
    started = time.process_time()
    ids = graph(tf.constant(["a b " + "c d " * 2**18 + "g h", "a"]))["token_ids"].numpy()
    assert time.process_time() - started < 20
    expected = {
        "head": [3, 4, 5, 6, 5, 6, 5, 6, 5, 6],
        "tail": [5, 6, 5, 6, 5, 6, 5, 6, 9, 10],
        "head-tail": [3, 4, 5, 6, 5, 6, 5, 6, 9, 10],
    }
    assert ids[:, 1:].tolist() == [expected[truncate], [3, *[0] * 9]]


def test_an_unknown_way_to_cut_lists_the_known_ones():
    with pytest.raises(ValueError, match="Choose one of: head, tail, head-tail"):
        preprocessor(truncate="middle")


def test_what_is_cut_is_counted_in_texts_and_tokens():
    counts = preprocessor(max_length=3).count_cut(
        tf.constant(["a b c d e", "a b c", "", "a a a a"])
    )
    assert counts.numpy().tolist() == [2, 12, 3]


def test_a_batch_of_one_is_not_padded():
    assert ids(["the cat"]) == [[2, 3, 4]]


def test_ragged_ids_are_the_padded_ones_without_padding():
    texts = tf.constant(["the", "", "the cat sat"])
    ragged = preprocessor(max_word_length=3).ragged(texts)
    padded = preprocessor(max_word_length=3)(texts)
    assert ragged["token_ids"].to_list() == [[2, 3], [2], [2, 3, 4, 5]]
    for name, rows in ragged.items():
        np.testing.assert_array_equal(rows.to_tensor(), padded[name])
        assert padded[name].dtype == tf.int32


def test_character_ids_by_hand():
    # "<start>" starts with "<st"; "cat" is cut to "cat"; "hats" to "hat"; "a" is padded.
    letters = preprocessor(max_word_length=3)(tf.constant(["cat hats a", ""]))["character_ids"]
    start, nothing = [1, 1, 2], [0, 0, 0]
    assert letters.numpy().tolist() == [
        [start, [4, 3, 2], [5, 3, 2], [3, 0, 0]],
        [start, nothing, nothing, nothing],
    ]


def test_without_characters_there_are_no_character_ids():
    assert list(preprocessor()(tf.constant(["cat"]))) == ["token_ids"]


def test_characters_of_several_bytes_are_never_cut_in_two():
    toy = Vocabularies(["<start>"], ["é", "ü", "a", "ñ"])
    rows = preprocessor(max_word_length=3, vocabularies=toy)(tf.constant(["aéüñ"]))
    assert rows["character_ids"].numpy().tolist() == [[[1, 1, 1], [4, 2, 3]]]


def test_a_word_of_a_megabyte_is_one_unknown_token():
    rows = preprocessor(max_word_length=4)(tf.constant(["ha" * 500_000]))
    assert rows["token_ids"].numpy().tolist() == [[2, 1]]
    assert rows["character_ids"].numpy().tolist()[0][1] == [5, 3, 5, 3]


def test_a_batch_of_no_texts_has_no_rows():
    assert preprocessor()(tf.constant([], tf.string))["token_ids"].shape[0] == 0


def test_the_preprocessor_works_inside_tf_data():
    dataset = tf.data.Dataset.from_tensor_slices(["the cat", ""]).batch(2).map(preprocessor())
    assert next(iter(dataset))["token_ids"].numpy().tolist() == [[2, 3, 4], [2, 0, 0]]


def test_texts_whose_characters_are_all_rare_still_build_a_preprocessor():
    vocabularies = build_vocabularies(["ab cd"], "tweet", 9, min_count=2)
    assert vocabularies == Vocabularies(["<start>"], ["\ufffd"])
    assert ids(["ab"], max_word_length=2, vocabularies=vocabularies) == [[2, 1]]


@pytest.mark.parametrize(
    ("truncate", "kept"), [("head", "a b c d"), ("tail", "e f g h"), ("head-tail", "a f g h")]
)
def test_the_tokens_that_are_kept_can_be_had_with_what_is_dropped(truncate, kept):
    options = {"vocabularies": LETTERS, "truncate": truncate, "max_length": 4}
    tokens, dropped = preprocessor(**options).keep_tokens(tf.constant(["A b c d e f g H", "X", ""]))
    assert tokens.to_list() == [kept.encode().split(), [b"x"], []]
    assert dropped.numpy().tolist() == [4, 0, 0]
    ids = preprocessor(**options)(tf.constant(["A b c d e f g H"]))["token_ids"][0, 1:]
    assert ids.numpy().tolist() == [3 + "abcdefgh".index(word) for word in kept.split()]
