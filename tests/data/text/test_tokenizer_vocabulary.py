import pytest

from data.errors import UserError
from data.registry import UNITS
from data.text.tokenizer_vocabulary import TokenizerVocabulary, learn_vocabulary

TEXTS = ["the cat\nthe hat", "the\u2028 end"]


@pytest.mark.parametrize("kind", UNITS)
def test_units_survive_saving_and_loading(tmp_path, kind):
    written = learn_vocabulary(kind, [*TEXTS, 'a"\\\x00\x85 \ufeff😂'], 30)
    written.save(tmp_path, "source")
    assert TokenizerVocabulary.load(tmp_path, "source") == written


def test_characters_and_words_by_falling_count_then_by_code_point():
    assert learn_vocabulary("characters", ["bab", "cb é"], 4).tokens == ("b", " ", "a", "c")
    assert learn_vocabulary("words", ["a b b", "b a c"], 4).tokens == (" b", " a", " c", "a")


def test_words_keep_the_space_before_them():
    assert learn_vocabulary("words", ["a b b", "a b"], 9).tokens == (" b", "a")


def test_subwords_begin_with_the_characters():
    units = learn_vocabulary("subwords", ["ab ab ab"], 5)
    assert units.tokens == ("a", "b", " ", "ab", " ab")
    assert units.merges == (("a", "b"), (" ", "ab"))


def test_half_of_the_subwords_at_most_are_characters():
    units = learn_vocabulary("subwords", ["aa aab aabc aabcd"] * 2, 5)
    assert units.tokens[:3] == ("a", " ", "b")
    assert len(units.tokens) == 5


@pytest.mark.parametrize("kind", UNITS)
def test_the_order_of_the_texts_does_not_matter(kind):
    assert learn_vocabulary(kind, TEXTS, 20) == learn_vocabulary(kind, iter(TEXTS[::-1]), 20)


def test_an_unknown_kind_lists_the_known_ones():
    known = r"Unknown kind of units 'word'\. Choose one of: characters, bytes, words, subwords, "
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
        (tmp_path / "units.json").write_text(content)
    with pytest.raises(UserError, match=r"cannot read .*units\.json: .*\. Train again"):
        TokenizerVocabulary.load(tmp_path)
