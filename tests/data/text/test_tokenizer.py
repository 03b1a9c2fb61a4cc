import sys
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from data.registry import CLASSIFIER_TOKENS, TAGGER_TOKENS, TOKENIZERS
from data.text.byte_pairs import merge_pair
from data.text.cleaning import drop_format_characters
from data.text.pretokenizer import pretokenize
from data.text.special_tokens import END, PADDING, START, UNKNOWN, UNKNOWN_TEXT
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import TokenizerVocabulary, learn_vocabulary

TEXTS = [
    "the low lower lowest newer newest, l'homme isn't aaa aaaa aaaaa abab\n",
    "the lower the newer: ababab été! the low\n\nlowest 11 111 1111 ...",
]
ALPHABET = st.text("abehltosw 1'.\né😂", max_size=30)
STRINGS = [tf.TensorSpec([None], tf.string)]
PIECES = tf.function(pretokenize, input_signature=STRINGS, autograph=False)


@pytest.fixture(scope="module")
def tokenizers():
    """Of each kind, with `encode` as a graph, traced once."""
    found = {}
    for kind in TOKENIZERS:
        vocabulary = learn_vocabulary(kind, TEXTS, 60)
        tokenizer = found[kind] = Tokenizer(vocabulary)
        tokenizer.learned = vocabulary
        tokenizer.graph = tf.function(tokenizer.encode, input_signature=STRINGS, autograph=False)
    return found


def encoded_in_python(text, vocabulary):
    """The ids of a text, one merge after the other."""
    ids = {token: 4 + place for place, token in enumerate(vocabulary.tokens)}
    rank = {pair: place for place, pair in reversed([*enumerate(vocabulary.merges)])}
    result = []
    for piece in PIECES(tf.constant([text])).to_list()[0]:
        symbols = list(piece.decode())
        while found := [p for p in pairwise(symbols) if p in rank]:
            symbols = merge_pair(symbols, min(found, key=rank.get))
        result += [ids.get(symbol, UNKNOWN) for symbol in symbols]
    return result


@settings(deadline=None, max_examples=100)
@given(st.lists(ALPHABET, min_size=1, max_size=4))
def test_merging_in_the_graph_is_merging_in_python(tokenizers, texts):
    vocabulary = tokenizers["subwords"].learned
    expected = [encoded_in_python(text, vocabulary) for text in texts]
    assert tokenizers["subwords"].graph(tf.constant(texts)).to_list() == expected


def test_merges_left_out_by_chance_make_smaller_pieces_of_the_same_text(tokenizers):
    tokenizer, alone = tokenizers["subwords"], np.arange(2)
    usual = tokenizer.encode(tf.constant(TEXTS))
    assert tokenizer.encode_by_chance(TEXTS, alone, 0.0, (0, 0)).to_list() == usual.to_list()
    pieces = [
        tokenizer.encode_by_chance(TEXTS, alone, dropout, (0, 1)) for dropout in (0.1, 0.5, 1.0)
    ]
    counts = [usual.flat_values.shape[0], *(each.flat_values.shape[0] for each in pieces)]
    assert counts == sorted({*counts}) and counts[-1] == sum(map(len, TEXTS))
    for each in pieces:
        assert [text.decode() for text in tokenizer.decode(each).numpy()] == TEXTS


def test_chances_follow_from_the_seed_and_are_equal_within_a_group(tokenizers):
    tokenizer, texts = tokenizers["subwords"], [" lower lowest"] * 40

    def draw(groups, seed):
        return tokenizer.encode_by_chance(texts, np.array(groups), 0.3, (7, seed)).to_list()

    apart, together = draw(range(40), 0), draw([3] * 40, 0)
    assert apart == draw(range(40), 0) != draw(range(40), 1)
    assert len({*map(tuple, apart)}) > 2 and len({*map(tuple, together)}) == 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=20), min_size=1, max_size=3))
def test_bytes_are_lossless_and_what_is_decoded_is_text(tokenizers, texts):
    tokenizer = tokenizers["bytes"]
    texts = drop_format_characters(tf.constant(texts)).numpy().tolist()
    ids = tokenizer.graph(tf.constant(texts))
    assert [bytes(byte - 4 for byte in row) for row in ids.to_list()] == texts
    for text, decoded in zip(texts, tokenizer.decode(ids).numpy(), strict=True):
        decoded = decoded.decode("utf-8")
        try:
            assert decoded == text.decode("utf-8")
        except UnicodeDecodeError:
            assert "\ufffd" in decoded


@settings(deadline=None, max_examples=12)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_tokens_of_the_text_itself_restore_it(texts):
    for kind in TOKENIZERS:
        tokenizer = Tokenizer(learn_vocabulary(kind, texts, 200))
        ids = tokenizer.encode(tf.constant(texts))
        seen = [text.decode() for text in drop_format_characters(tf.constant(texts)).numpy()]
        assert [text.decode() for text in tokenizer.decode(ids).numpy()] == seen
        padded = tokenizer.decode(ids.to_tensor(shape=[None, 90])).numpy()
        assert [text.decode() for text in padded] == seen


@pytest.mark.parametrize("kind", [*TOKENIZERS, *CLASSIFIER_TOKENS, TAGGER_TOKENS])
def test_invisible_characters_change_no_token(kind):
    plain = "the lowest isn't newer"
    hidden = (
        "the lo\u00ad\u200b\u200c\u200d\u200e\u2060\ufe0f\ufeffwe\u200cst isn't n\u200de\u200cwer"
    )
    vocabulary = learn_vocabulary(kind, [plain], 60)
    assert learn_vocabulary(kind, [hidden], 60) == vocabulary
    tokenizer = Tokenizer(vocabulary)
    assert tokenizer.encode([hidden]).to_list() == tokenizer.encode([plain]).to_list()
    assert tokenizer.split([hidden]).to_list() == tokenizer.split([plain]).to_list()


def test_joiners_of_a_spelling_are_read_and_written():
    texts = ["می\u200cخواهم 👩\u200d👧"]
    for kind in TOKENIZERS:
        tokenizer = Tokenizer(learn_vocabulary(kind, texts, 60))
        assert tokenizer.decode(tokenizer.encode(texts)).numpy()[0].decode() == texts[0]


def test_merges_by_hand():
    vocabulary = TokenizerVocabulary(
        "subwords", ("a", "b", "ab", "aba", "aa"), (("a", "b"), ("ab", "a"), ("a", "a"))
    )
    tokenizer = Tokenizer(vocabulary)
    texts = tf.constant(["ababa", "aaa", "aaaab", "axb"])
    # aba ba is not: "ab" is merged first, wherever it stands, then "ab a" from the left.
    shown = tokenizer.tokens(tokenizer.encode(texts)).to_list()
    assert shown == [
        [b"ab", b"aba"],
        [b"aa", b"a"],
        [b"aa", b"a", b"ab"],
        [b"a", "�".encode(), b"b"],
    ]
    assert tokenizer.encode(texts).to_list() == [[6, 7], [8, 4], [8, 4, 6], [4, 1, 5]]


def test_words_by_hand():
    tokenizer = Tokenizer(TokenizerVocabulary("words", ("the", " cat", "'s")))
    ids = tokenizer.encode(tf.constant(["the cat's hat", "cat cat", ""]))
    assert ids.to_list() == [[4, 5, 6, 1], [1, 5], []]
    assert [text.decode() for text in tokenizer.decode(ids).numpy()] == ["the cat's �", "� cat", ""]


def test_an_unknown_character_is_one_unknown_id():
    tokenizer = Tokenizer(TokenizerVocabulary("characters", ("a", "é")))
    ids = tokenizer.encode(tf.constant(["aéx", b"\xffa"]))
    assert ids.to_list() == [[4, 5, UNKNOWN], [UNKNOWN, 4]]
    assert tokenizer.decode(ids).numpy()[0].decode() == "aé�"


def test_special_ids_are_left_out_of_texts_and_shown_as_tokens():
    tokenizer = Tokenizer(TokenizerVocabulary("characters", ("a",)))
    ids = tf.constant([[START, 4, UNKNOWN, END, PADDING]])
    assert tokenizer.decode(ids).numpy()[0].decode() == "a�"
    shown = [token.decode() for token in tokenizer.tokens(ids).numpy()[0]]
    assert shown == ["<start>", "a", "�", "<end>", ""]


def test_bytes_that_are_no_text_alone_are_shown_by_number():
    tokenizer = Tokenizer(TokenizerVocabulary("bytes"))
    shown = tokenizer.tokens(tokenizer.encode(tf.constant(["aé"]))).to_list()
    assert shown == [[b"a", b"<0xC3>", b"<0xA9>"]]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_split_has_the_own_text_of_unknown_tokens(tokenizers, kind):
    texts = tf.constant(["the 東lowZZ zoo", "", "ÿ low"])
    tokenizer = tokenizers[kind]
    split, ids = tokenizer.split(texts), tokenizer.encode(texts)
    assert split.row_lengths().numpy().tolist() == ids.row_lengths().numpy().tolist()
    if kind != "bytes":
        assert tf.strings.reduce_join(split, axis=-1).numpy().tolist() == texts.numpy().tolist()


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_the_vocabulary_size_counts_the_special_ids(tokenizers, kind):
    tokens = tokenizers[kind].learned.tokens
    assert tokenizers[kind].vocabulary_size == 4 + (256 if kind == "bytes" else len(tokens))


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_empty_texts_and_empty_batches_have_no_tokens(tokenizers, kind):
    tokenizer = tokenizers[kind]
    for texts in ([], [""], ["", ""]):
        ids = tokenizer.graph(tf.constant(texts, tf.string))
        assert ids.to_list() == [[]] * len(texts)
        assert tokenizer.decode(ids).numpy().tolist() == [b""] * len(texts)
        assert tokenizer.split(tf.constant(texts, tf.string)).to_list() == [[]] * len(texts)
    assert tokenizer.decode(tf.zeros([2, 0], tf.int32)).numpy().tolist() == [b"", b""]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_tokens_learned_from_nothing_know_nothing(kind):
    tokenizer = Tokenizer(learn_vocabulary(kind, [], 10))
    ids = tokenizer.encode(tf.constant(["ab"]))
    assert ids.to_list() == ([[101, 102]] if kind == "bytes" else [[1] * (1 + (kind != "words"))])


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_tokenizer_works_inside_tf_data(tokenizers, kind):
    rows = tf.data.Dataset.from_tensor_slices(TEXTS).batch(2).map(tokenizers[kind].encode)
    assert next(iter(rows)).to_list() == tokenizers[kind].encode(tf.constant(TEXTS)).to_list()


RELOAD = """
import sys, tensorflow as tf
for folder in sys.argv[1:]:
    answer = tf.saved_model.load(folder).again(tf.constant(["the lowest\\n\\nlowest été", ""]))
    assert answer.numpy().tolist() == ["the lowest\\n\\nlowest été".encode(), b""], (folder, answer)
assert not [name for name in sys.modules if name.split(".")[0] in ("data", "models", "apps")]
"""


def test_exported_tokenizers_work_with_tensorflow_alone(tokenizers, tmp_path, tensorflow_process):
    def again_with(tokenizer):
        return lambda texts: tokenizer.decode(tokenizer.encode(texts))

    for kind, tokenizer in tokenizers.items():
        module = tf.Module()
        module.tokenizer = tokenizer
        module.again = tf.function(again_with(tokenizer), input_signature=STRINGS, autograph=False)
        tf.saved_model.save(module, tmp_path / kind)
    folders = [tmp_path / kind for kind in TOKENIZERS]
    finished = tensorflow_process(RELOAD, *folders, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("kind", [*CLASSIFIER_TOKENS, TAGGER_TOKENS])
def test_the_tokens_of_classifiers_and_taggers_are_decoded_behind_spaces(kind):
    vocabulary = learn_vocabulary(kind, ["A film, isn't it?", "a film"], 9)
    tokenizer = Tokenizer(vocabulary)
    ids = tokenizer.encode(["a FILM, qux"])
    assert tokenizer.decode(ids).numpy()[0].decode() == f" a film , {UNKNOWN_TEXT}"
    assert ids.to_list()[0] == [
        4 + vocabulary.tokens.index(each) if each in vocabulary.tokens else 1
        for each in ("a", "film", ",", "qux")
    ]
    assert tokenizer.split(["a FILM, qux"]).to_list() == [[b"a", b"film", b",", b"qux"]]


@pytest.mark.parametrize("kind", ["subwords", "words", "characters", "bytes"])
def test_a_spaced_word_has_the_same_tokens_wherever_it_stands(kind):
    texts = [" red cat", " cat red cat", " a cat"] * 4
    tokenizer = Tokenizer(learn_vocabulary(kind, texts, 40), spaced=True)
    first, middle, empty = tokenizer.encode(["cat red", "red\n\t cat ", " \n"]).to_list()
    cat = tokenizer.encode(["cat"]).to_list()[0]
    assert first[: len(cat)] == middle[-len(cat) :] == cat and empty == []
    ids = tokenizer.encode(["cat\nred"])
    assert tokenizer.decode(ids).numpy().tolist() == [b"cat red"]
    pieces = tokenizer.split(["cat\nred"])
    assert pieces.row_lengths().numpy().tolist() == ids.row_lengths().numpy().tolist()
    assert b"".join(pieces.to_list()[0]) == b" cat red"


def test_any_white_space_is_a_space_to_a_spaced_tokenizer():
    tokenizer = Tokenizer(learn_vocabulary("subwords", [" cat red ?"] * 4, 40), spaced=True)
    blanks = [chr(code) for code in range(sys.maxunicode) if chr(code).isspace()]
    assert "\u202f" in blanks and "\xa0" in blanks
    texts = [f"{blank}cat{blank}red{blank}{blank}?{blank}" for blank in blanks]
    plain = tokenizer.encode(["cat red ?"]).to_list()[0]
    assert tokenizer.encode(texts).to_list() == [plain] * len(blanks) and 1 not in plain
