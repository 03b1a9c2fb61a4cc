import numpy as np
import tensorflow as tf

from data.registry import CASES
from data.text.tag_preprocessor import (
    TagPreprocessor,
    build_tag_vocabularies,
    split_rows,
    tokenize_all,
)
from data.text.vocabulary import Vocabularies

VOCABULARIES = Vocabularies(["<start>", "lyon", "Apple", "apple", "0000"], list("Lnoy"))


def ids(words, **options):
    settings = {"lowercase": True, "case_features": True, "max_word_length": 3, **options}
    return TagPreprocessor(VOCABULARIES, **settings)(tf.constant(words))


def test_words_are_looked_up_in_lower_case_and_then_with_zeros():
    assert ids(["LYON", "Apple", "1987", "nowhere"])["token_ids"].numpy().tolist() == [3, 5, 6, 1]


def test_without_lower_case_it_is_what_unknown_words_fall_back_to():
    found = ids(["LYON", "Apple", "apple", "1987"], lowercase=False)["token_ids"]
    assert found.numpy().tolist() == [3, 4, 5, 6]


def test_letters_keep_their_case():
    letters = ids(["Lyon", "lo"])["character_ids"].numpy()
    assert letters.tolist() == [[2, 5, 4], [1, 4, 0]]


def test_how_a_word_is_written_is_told_apart():
    words = ["1996-08", "76ers", "!?", "J.", "NATO", "Åsa", "iPhone", "is"]
    names = list(CASES)
    found = [names[i - 1] for i in ids(words)["case_ids"].numpy()]
    assert found == names


def test_what_is_not_wanted_is_not_there():
    assert ids(["a"], case_features=False, max_word_length=0).keys() == {"token_ids"}


def test_vocabularies_count_digits_as_zeros_too():
    tokens = tf.constant(["In", "in", "1987", "1988", "Ana", "\u00c5", "\u00e5"])
    vocabularies = build_tag_vocabularies(tokens, 10, 2, lowercase=True)
    assert vocabularies.tokens == ["<start>", "0000", "in", "\u00e5"]
    assert "1" in vocabularies.characters
    assert build_tag_vocabularies(tokens, 2, 1, True).tokens == ["<start>", "0000"]


def test_tokens_of_many_texts_are_those_of_each():
    texts = [f"number {i} of Lyon." for i in range(1030)]
    tokens = tokenize_all(texts)
    assert tokens.strings.nrows() == 1030
    assert tokens.strings[1029].numpy().tolist() == [b"number", b"1029", b"of", b"Lyon", b"."]
    assert tokens.starts[1029].numpy().tolist() == [0, 7, 12, 15, 19]


def test_long_texts_are_cut_and_empty_ones_go():
    splits = split_rows(np.array([3, 0, 7, 4]), 4)
    assert splits.tolist() == [0, 3, 7, 10, 14]
