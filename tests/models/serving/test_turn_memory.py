import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.serving.turn_memory import TurnMemory, hash_ngrams

TURNS = [
    "Hello!\nWhen does the bakery open?",
    "When does the library open?",
    "Thanks!\nSee you tomorrow, Ann.",
    "How much is a loaf of bread?",
]
ANSWERS = ["At seven.", "At nine – or ten.", "Bye!", "Two pounds."]


@pytest.fixture(scope="module")
def memory():
    return TurnMemory.learn(TURNS, ANSWERS)


def nearest(memory, *texts):
    answers, similarities = memory.nearest(tf.constant(texts, tf.string))
    return [answer.decode() for answer in answers.numpy()], similarities.numpy()


def ngrams_of(text):
    """The words and pairs of a text and of its last line, in plain Python."""
    found = set()
    for name, part in (("all", text), ("last", text.rpartition("\n")[2])):
        for sign in "!?.,":
            part = part.replace(sign, f" {sign} ")
        words = part.lower().split()
        found |= {(name, word) for word in words}
        found |= {(name, *pair) for pair in itertools.pairwise(words)}
    return found


def cosine_of(text, known):
    counts = {}
    for turns in TURNS:
        for ngram in ngrams_of(turns):
            counts[ngram] = counts.get(ngram, 0) + 1

    def length(ngrams):
        weights = [math.log((1 + len(TURNS)) / (1 + counts.get(each, 0))) + 1 for each in ngrams]
        return math.sqrt(sum(weight**2 for weight in weights))

    one, other = ngrams_of(text), ngrams_of(known)
    return length(one & other) ** 2 / (length(one) * length(other))


def test_turns_that_are_known_have_their_answers(memory):
    answers, similarities = nearest(memory, *TURNS)
    assert answers == ANSWERS
    assert_allclose(similarities, 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("When does the bakery open?", 0),
        ("So, hello again!\nwhen does the bakery close?", 0),
        ("How much is bread", 3),
        ("See you, Bob.", 2),
    ],
)
def test_the_similarity_is_the_cosine_of_the_weights(memory, text, place):
    answers, similarities = nearest(memory, text)
    assert answers == [ANSWERS[place]]
    assert_allclose(similarities, [cosine_of(text, TURNS[place])], rtol=1e-5)


def test_the_last_turn_counts_more_than_those_before_it(memory):
    both = "How much is a loaf of bread?\nWhen does the library open?"
    assert nearest(memory, both)[0] == [ANSWERS[1]]
    assert nearest(memory, "\n".join(reversed(both.split("\n"))))[0] == [ANSWERS[3]]


def test_what_nobody_said_is_like_nothing(memory):
    assert_allclose(nearest(memory, "xyz abc", "", "Ünbekannt")[1], 0.0)
    assert nearest(memory)[0] == []


def test_a_text_does_not_depend_on_the_others_of_its_batch(memory):
    texts = ["When does it open?", "bread", "Thanks! Ann", ""]
    together = nearest(memory, *texts)[1]
    alone = [nearest(memory, text)[1][0] for text in texts]
    assert_allclose(together, alone, rtol=1e-6)


def test_what_almost_all_turns_have_says_nothing():
    turns = [f"yes , number {number}" for number in range(60)]
    memory = TurnMemory.learn(turns, [str(number) for number in range(60)])
    assert_allclose(nearest(memory, "yes ,")[1], 0.0)
    answers, similarities = nearest(memory, "yes , number 41")
    assert answers == ["41"] and similarities[0] > 0.99


def test_an_ngram_counts_once_a_text():
    rows, hashes = (each.numpy() for each in hash_ngrams(tf.constant(["a a a", "a"])))
    # A word and a pair, of all turns and of the last.
    assert np.bincount(rows).tolist() == [4, 2]
    assert len({*zip(rows.tolist(), hashes.tolist(), strict=True)}) == 6
    assert set(hashes[rows == 1]) < set(hashes[rows == 0])


def test_a_memory_is_what_was_saved(memory, tmp_path):
    memory.save(tmp_path / "memory.npz")
    loaded = TurnMemory.load(tmp_path / "memory.npz")
    texts = ["When does the bakery close?", TURNS[1]]
    assert nearest(loaded, *texts)[0] == nearest(memory, *texts)[0] == [ANSWERS[0], ANSWERS[1]]
    assert_allclose(nearest(loaded, *texts)[1], nearest(memory, *texts)[1])


def test_another_file_is_no_memory(tmp_path):
    path = tmp_path / "memory.npz"
    np.savez(path, ngrams=np.zeros(3))
    for content in (None, b"PK\x03\x04 broken", b"", b"text"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError):
            TurnMemory.load(path)
