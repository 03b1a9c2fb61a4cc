import pytest

from data.errors import UserError
from data.registry import TOKENIZERS
from data.text.tokenizer_vocabulary import (
    TokenizerVocabulary,
    find_vocabulary,
    learn_vocabulary,
)

TEXTS = ["the cat\nthe hat", "the\u2028 end"]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_vocabulary_survives_saving_and_loading(tmp_path, kind):
    written = learn_vocabulary(kind, [*TEXTS, 'a"\\\x00\x85 \ufeff😂'], 30)
    written.save(tmp_path, "source")
    assert TokenizerVocabulary.load(tmp_path, "source") == written


def test_characters_and_words_by_falling_count_then_by_code_point():
    assert learn_vocabulary("characters", ["bab", "cb é"], 4).tokens == ("b", " ", "a", "c")
    assert learn_vocabulary("words", ["a b b", "b a c"], 4).tokens == (" b", " a", " c", "a")


def test_words_keep_the_space_before_them():
    assert learn_vocabulary("words", ["a b b", "a b"], 9).tokens == (" b", "a")


def test_subwords_begin_with_the_characters():
    vocabulary = learn_vocabulary("subwords", ["ab ab ab"], 5)
    assert vocabulary.tokens == ("a", "b", " ", "ab", " ab")
    assert vocabulary.merges == (("a", "b"), (" ", "ab"))


def test_half_of_the_subwords_at_most_are_characters():
    vocabulary = learn_vocabulary("subwords", ["aa aab aabc aabcd"] * 2, 5)
    assert vocabulary.tokens[:3] == ("a", " ", "b")
    assert len(vocabulary.tokens) == 5


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_the_order_of_the_texts_does_not_matter(kind):
    assert learn_vocabulary(kind, TEXTS, 20) == learn_vocabulary(kind, iter(TEXTS[::-1]), 20)


def test_an_unknown_kind_lists_the_known_ones():
    known = r"Unknown tokenizer 'word'\. Choose one of: characters, bytes, words, subwords, "
    with pytest.raises(ValueError, match=known):
        learn_vocabulary("word", TEXTS, 5)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        '{"kind": "words"}',
        '{"kind": "letters", "tokens": [], "merges": []}',
        '{"kind": "words", "tokens": ["a", "a"], "merges": []}',
        '{"kind": "subwords", "tokens": ["a", "b"], "merges": [["a", "b"]]}',
        '{"kind": "subwords", "tokens": ["a", "b"], "merges": [["a"]]}',
        "[]",
        '{"kind": "words", "tokens": [1, 2], "merges": []}',
        '{"kind": ["words"], "tokens": [], "merges": []}',
        "[" * 988,
    ],
    ids=[
        *("missing", "empty", "fields", "kind", "twice", "merges", "no pair", "list", "numbers"),
        *("kinds", "deep"),
    ],
)
def test_a_missing_or_damaged_file_is_a_user_error(tmp_path, content):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match=r"cannot read .*tokenizer\.json: .*\. Train again"):
        TokenizerVocabulary.load(tmp_path)


@pytest.mark.parametrize("side", ["", "source_"])
def test_an_older_run_has_its_vocabulary_under_the_former_name(tmp_path, side):
    vocabulary = learn_vocabulary("words", ["a b"], 9)
    vocabulary.save(tmp_path, f"{side}units")
    path = tmp_path / f"{side}units.json"
    assert find_vocabulary(tmp_path, f"{side}tokenizer") == path and path.is_file()
    assert TokenizerVocabulary.load(tmp_path, f"{side}tokenizer") == vocabulary
    vocabulary.save(tmp_path, f"{side}tokenizer")
    assert find_vocabulary(tmp_path, f"{side}tokenizer").name == f"{side}tokenizer.json"
