"""Texts are written by numpy as they are written by TensorFlow."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("re2")
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import TokenizerVocabulary
from models.decoding import beam_search as by_tensorflow
from models.decoding import constraints, sampling
from models.onnx.form import rules_of
from models.portable.decoding.beam_search import beam_search
from models.portable.decoding.choices import Constraints, Sampling
from models.portable.decoding.decode import decode
from models.portable.decoding.random_numbers import uniform_streams
from models.portable.decoding.tokenizer import Tokenizer as PortableTokenizer

# Logits of a language of eight tokens by the token before, of which 3 ends a text.
_TABLE = np.random.default_rng(1).normal(0, 2, (8, 8)).astype(np.float32)
_FIRST = _TABLE[[2, 5, 7]]


def test_random_numbers_are_those_of_tensorflow():
    wanted = sampling.uniform_streams(123456, 3, 10).numpy().T
    np.testing.assert_array_equal(uniform_streams(123456, [0, 1, 2], 10), wanted)
    # A stream does not depend on those beside it.
    np.testing.assert_array_equal(uniform_streams(123456, [2], 7), wanted[2:, :7])


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.7},
        {"top_k": 3},
        {"top_p": 0.6},
        {"top_p": 0.0},
        {"top_k": 5, "top_p": 0.8, "min_p": 0.1},
        {"temperature": 0.0},
    ],
    ids=str,
)
def test_samples_are_those_of_tensorflow(options):
    generator = np.random.default_rng(2)
    logits = generator.normal(0, 3, (40, 300)).astype(np.float32)
    uniform = generator.random(40, np.float32)
    wanted = sampling.Sampling(**options)(tf.constant(logits), tf.constant(uniform))
    assert Sampling(**options).choose(logits, uniform).tolist() == wanted.numpy().tolist()


@pytest.mark.parametrize(
    "options",
    [{"repetition_penalty": 1.5}, {"no_repeat_ngram": 2}, {"no_repeat_ngram": 1}],
    ids=str,
)
def test_constraints_are_those_of_tensorflow(options):
    history = np.array([[0, 0, 4, 5, 6, 4, 5, 7, 4], [4, 4, 4, 5, 4, 4, 4, 4, 4]])
    logits = _TABLE[[4, 4]]
    padded = tf.constant(np.pad(history, [(0, 0), (0, 3)]), tf.int32)
    banned = (0, 2)
    wanted = constraints.Constraints(banned, 8, **options)(logits, padded, 5, 4, 3)
    found = Constraints(banned, 8, **options).apply(logits, history, 4, 3)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert np.isneginf(found[:, [0, 2, 3]]).all()


@pytest.mark.parametrize("penalty", [0.0, 0.9])
@pytest.mark.parametrize("width", [1, 3])
def test_a_beam_finds_the_hypotheses_of_tensorflow(width, penalty):
    banned = (0, 1, 2)
    found, scores = beam_search(
        lambda ids, state, context: (_TABLE[ids], state),
        _FIRST,
        {},
        {},
        history=np.zeros((3, 0), np.int64),
        beam_width=width,
        max_length=6,
        end=3,
        constraints=Constraints(banned),
        length_penalty=penalty,
    )
    wanted = by_tensorflow.beam_search(
        lambda ids, state: (tf.gather(_TABLE, ids), state),
        tf.constant(_FIRST),
        [tf.zeros([3, 1])],
        beam_width=width,
        max_length=6,
        end_id=3,
        length_penalty=penalty,
        constraints=constraints.Constraints(banned),
    )
    np.testing.assert_array_equal(found, wanted.ids)
    np.testing.assert_allclose(scores, wanted.scores, rtol=1e-5)


def test_a_text_ends_at_its_end_token_and_the_others_go_on():
    # After 4 comes 3, the end; after 5 comes 6, and after 6 comes 6.
    table = np.full((8, 8), -5.0, np.float32)
    table[4, 3] = table[5, 6] = table[6, 6] = 5.0
    found = decode(
        lambda ids, state, context: (table[ids], {"seen": state["seen"] + 1}),
        table[[4, 5]],
        {"seen": np.zeros(2)},
        {},
        history=np.zeros((2, 0), np.int64),
        max_length=3,
        sampling=Sampling(temperature=0.0),
        uniform=np.zeros((2, 3), np.float32),
        constraints=Constraints((0, 2)),
        end=3,
    )
    assert [each.ids for each in found] == [[3], [6, 6, 6]]
    # Each token has exp(5) of exp(5) + 7 exp(-5).
    single = -np.log1p(7 * np.exp(-10.0))
    assert [each.log_probability for each in found] == pytest.approx([single, 3 * single], abs=1e-6)


_SUBWORDS = {
    "tokens": (" ", "a", "b", "n", "'", "t", "é", "東", "an", " a", " an"),
    "merges": (("a", "n"), (" ", "a"), (" ", "an")),
}
VOCABULARIES = {
    "bytes": TokenizerVocabulary("bytes"),
    "characters": TokenizerVocabulary("characters", (" ", "a", "b", "é", "東")),
    "words": TokenizerVocabulary("words", ("a", " a", "n't", "?", "東")),
    "subwords": TokenizerVocabulary("subwords", **_SUBWORDS),
    "tagger-tokens": TokenizerVocabulary("tagger-tokens", ("a", "n't", "000", "東")),
    "tweet-tokens": TokenizerVocabulary("tweet-tokens", ("a", "<url>", "!!", "東")),
}
_BITS = st.sampled_from(
    [
        *"ab é東n't.?!-0\n\t\r",
        "\u00ad",
        "\u202f",
        "\u200d",
        "http://x.y ",
        "an",
        " an",
        "bana",
        "😂",
        "''",
    ]
)
_TEXTS = st.one_of(st.binary(max_size=12), st.lists(_BITS, max_size=12).map("".join))


@pytest.fixture(scope="module", params=VOCABULARIES)
def tokenizers(request, tmp_path_factory):
    """A tokenizer in TensorFlow and the same one without."""
    vocabulary = VOCABULARIES[request.param]
    folder = tmp_path_factory.mktemp("vocabulary")
    vocabulary.save(folder)
    tokenizer = Tokenizer(vocabulary, spaced=request.param == "subwords")
    rules = json.loads(json.dumps(rules_of(tokenizer)))
    return tokenizer, PortableTokenizer(folder / "tokenizer.json", rules)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(texts=st.lists(_TEXTS, min_size=1, max_size=20))
def test_ids_and_texts_are_those_of_tensorflow(tokenizers, texts):
    ours, theirs = tokenizers
    raw = [text if isinstance(text, bytes) else text.encode() for text in texts]
    ids = ours.encode(tf.constant(raw))
    assert [theirs.encode(text) for text in raw] == ids.to_list()
    decoded = [text.decode() for text in ours.decode(ids).numpy()]
    assert [theirs.decode(row) for row in ids.to_list()] == decoded
    split = [[token.decode() for token in row] for row in ours.split(tf.constant(raw)).to_list()]
    assert [theirs.read(text)[1] for text in raw] == split
