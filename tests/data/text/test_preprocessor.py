import time

import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.registry import TRUNCATIONS
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import Vocabularies, build_vocabularies

# Ids by position plus 2: <start> 2, the 3, cat 4, sat 5; letters t 2, a 3, c 4, h 5.
TOY = Vocabularies(["<start>", "the", "cat", "sat"], ["t", "a", "c", "h"])


def preprocessor(max_length=10, max_word_length=0, vocabularies=TOY, truncate="head"):
    return TextPreprocessor(vocabularies, "tweet", max_length, max_word_length, truncate)


def ids(texts, **options):
    return preprocessor(**options)(tf.constant(texts))["token_ids"].numpy().tolist()


def test_tokens_are_ordered_by_count_then_by_code_point():
    vocabularies = build_vocabularies(["b a b Z", "é a c"], "none", max_tokens=10, min_count=1)
    assert vocabularies.tokens == ["<start>", "a", "b", "Z", "c", "é"]
    assert vocabularies.characters == ["a", "b", "Z", "c", "é"]


def test_the_order_of_the_texts_does_not_matter():
    texts = ["a b", "b c", "d"]
    one, other = (build_vocabularies(t, "tweet", 9, 1) for t in (texts, texts[::-1]))
    assert one == other


def test_rare_tokens_and_characters_are_left_out():
    vocabularies = build_vocabularies(["ab ab", "ac"], "tweet", max_tokens=10, min_count=2)
    assert vocabularies == Vocabularies(["<start>", "ab"], ["a", "b"])


def test_a_character_counts_once_for_each_token_that_holds_it():
    assert build_vocabularies(["xx xx yx"], "tweet", 9, 3).characters == ["x"]


def test_max_tokens_counts_the_start_token():
    assert build_vocabularies(["a a a b b c"], "tweet", 3, 1).tokens == ["<start>", "a", "b"]


def test_reserved_words_in_a_text_are_not_learned_twice():
    texts = ["<start> <start> <unk> <unk> &lt;unk&gt; a"]
    assert build_vocabularies(texts, "tweet", 9, 1).tokens == ["<start>", "a"]


def test_more_texts_than_one_chunk_are_all_counted():
    texts = ["a"] * 1500 + ["b"] * 1501
    assert build_vocabularies(texts, "tweet", 9, 1500).tokens == ["<start>", "b", "a"]


UNUSUAL = ["\u2028", "\u2029", "\u00a0", "\u3000", "\ufeff", "é", "😂", '"', "\\", "\ufffd"]


def test_vocabularies_survive_saving_and_loading(tmp_path):
    written = Vocabularies(["<start>", "a\u2028b", "c\u00a0d", *UNUSUAL], UNUSUAL)
    written.save(tmp_path)
    assert Vocabularies.load(tmp_path) == written


def test_vocabularies_of_unusual_texts_survive_saving_and_loading(tmp_path):
    texts = ["a\u2028b \u2029 \x85 \r\n \x0b \x0c \x1c \u00a0 \x00"]
    for standardize in ("tweet", "plain", "none"):
        written = build_vocabularies(texts, standardize, 99, 1)
        written.save(tmp_path)
        assert Vocabularies.load(tmp_path) == written


@pytest.mark.parametrize("name", ["vocabulary.txt", "characters.txt"])
def test_a_missing_file_is_a_user_error(tmp_path, name):
    TOY.save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match=f"cannot read .*{name}: .*Train again"):
        Vocabularies.load(tmp_path)


def test_a_file_that_is_not_utf8_is_a_user_error(tmp_path):
    TOY.save(tmp_path)
    (tmp_path / "vocabulary.txt").write_bytes(b"\xff\n")
    with pytest.raises(UserError, match=r"cannot read .*vocabulary\.txt: .*Train again"):
        Vocabularies.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocabulary.txt", ""),
        ("vocabulary.txt", "the\ncat\n"),
        ("vocabulary.txt", "<start>\nthe\nthe\n"),
        ("vocabulary.txt", "<start>\n\nthe\n"),
        ("vocabulary.txt", "<start>\nthe\nca"),
        ("characters.txt", "a\nbc\n"),
        ("characters.txt", "a\na\n"),
    ],
    ids=["empty", "no start", "twice", "blank", "cut short", "not one letter", "letter twice"],
)
def test_a_damaged_file_is_a_user_error(tmp_path, name, content):
    TOY.save(tmp_path)
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="Train again"):
        Vocabularies.load(tmp_path)


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
    graph = tf.function(layer, input_signature=[tf.TensorSpec([None], tf.string)])
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


def test_words_that_join_a_vocabulary_stand_behind_it():
    joined = TOY.with_words(["dog", "cat", "<unk>", "<start>", "dog", "", "a"])
    assert joined == Vocabularies(["<start>", "the", "cat", "sat", "dog", "a"], TOY.characters)


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
