import pytest

from data.errors import UserError
from data.text.vocabulary import Vocabularies, build_vocabularies

TOY = Vocabularies(["<start>", "the", "cat", "sat"], ["t", "a", "c", "h"])


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


def test_words_that_join_a_vocabulary_stand_behind_it():
    joined = TOY.with_words(["dog", "cat", "<unk>", "<start>", "dog", "", "a"])
    assert joined == Vocabularies(["<start>", "the", "cat", "sat", "dog", "a"], TOY.characters)


def test_padding_and_the_unknown_have_ids_of_their_own():
    vocabularies = Vocabularies(["<start>", "cat"], ["a", "b", "c"])
    assert (vocabularies.vocabulary_size, vocabularies.character_vocabulary_size) == (4, 5)
