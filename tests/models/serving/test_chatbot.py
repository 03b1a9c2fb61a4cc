import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from data.text.special_tokens import END, PADDING, START, UNKNOWN
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import TokenizerVocabulary
from models.decoding.agreement import agreement
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.search import TranslationSearch, prepend_start
from models.serving.chatbot import ChatSearch, ServingChatbot

WORDS = TokenizerVocabulary("words", ("A", " dog", " cat", " sleeps", ".", "\n"))
SIZE = WORDS.vocabulary_size


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    made = Translator(
        SIZE, SIZE, 4, {"cell": "gru", "units": 3, "bidirectional": True, "use_cudnn": False}
    )
    generator = np.random.default_rng(1)
    made.set_weights([w + generator.normal(0, 0.7, w.shape) for w in made.get_weights()])
    return made


def serving(model, turns=2, candidates=4, information=0.0, agreement=0.0, **options):
    options = {"temperature": 1.0, "max_length": 6, "bounded": False, **options}
    banned = (PADDING, START, UNKNOWN)
    search = TranslationSearch(banned_ids=banned, source_length=8, **options)
    several = ChatSearch(turns, candidates, information, agreement)
    return ServingChatbot(Tokenizer(WORDS), model, search, several)


def written(answer):
    return [text.decode() for text in answer["answers"].numpy()]


def written_all(answers):
    return [text.decode() for text in answers["answers"].numpy()[0]]


def test_only_the_last_turns_are_read_and_a_batch_changes_nothing(model):
    bot = serving(model)
    texts = ["A dog\nA cat\n.", " A cat \n\n.", "A dog sleeps."]
    answers = written(bot.answer(tf.constant(texts)))
    assert answers[0] == answers[1]
    assert [written(bot.answer(tf.constant([text])))[0] for text in texts] == answers


def test_turns_come_as_a_list_or_as_lines(model):
    bot = serving(model)
    lines = bot.answer(tf.constant(["A dog\nA cat", "A\n."]))
    turns = tf.constant(["A dog", "A  cat", "A", "."])
    found = bot.answer_turns(turns, tf.constant([2, 2], tf.int64))
    assert written(found) == written(lines)


def test_no_turn_has_no_answer_and_no_dialogue_is_an_empty_batch(model):
    bot = serving(model)
    assert written(bot.answer(tf.constant(["", " \n "]))) == ["", ""]
    assert written(bot.answer(tf.constant([], tf.string))) == []


def test_another_seed_gives_other_answers_and_the_same_one_the_same(model):
    texts = tf.constant(["A dog", "A cat", "A", "."])
    found = [written(serving(model, seed=seed).answer(texts)) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_answers_are_ordered_by_likelihood_less_that_of_no_turn(model):
    likely, informing = (
        serving(model, information=weight, n_best=4).answer_n_best(tf.constant(["A dog"]))
        for weight in (0.0, 0.5)
    )
    source = Tokenizer(WORDS).encode(tf.constant(["A dog"])).to_tensor()
    known = tf.concat([source, [[END]]], axis=1)

    def score(token_ids, text):
        """The log-probability of an answer, token by token."""
        ids = Tokenizer(WORDS).encode(tf.constant([text])).to_tensor()
        ids = tf.concat([ids, [[END]]], axis=1)
        logits = model({"token_ids": token_ids, "target_ids": prepend_start(ids)})
        return float(tf.reduce_sum(tf.gather(tf.nn.log_softmax(logits), ids, batch_dims=2)))

    ended = 0
    for weight, found in ((0.0, likely), (0.5, informing)):
        scores = found["scores"].numpy()[0]
        assert list(scores) == sorted(scores, reverse=True)
        for text, value in zip(found["answers"].numpy()[0], scores, strict=True):
            tokens = Tokenizer(WORDS).encode(tf.constant([text])).row_lengths()
            if tokens[0] < 6:
                ended += 1
                alone = weight * score(tf.constant([[END]]), text)
                assert_allclose(value, score(known, text) - alone, atol=1e-4)
    assert ended > 2


def test_the_answer_that_shares_most_with_the_others_comes_first(model):
    texts = tf.constant(["A dog"])
    likely, agreeing = (
        serving(model, agreement=weight, n_best=4).answer_n_best(texts) for weight in (0.0, 100.0)
    )
    assert set(written_all(likely)) == set(written_all(agreeing))
    ids = Tokenizer(WORDS).encode(tf.constant(written_all(agreeing)))
    ends = tf.concat([ids, tf.fill([4, 1], END)], axis=1)
    shares = agreement(ends.to_tensor()[None])[0].numpy()
    assert shares.max() > shares.min()
    assert list(shares) == sorted(shares, reverse=True)


def test_beams_are_candidates_where_nothing_is_drawn(model):
    bot = serving(model, temperature=0.0, beam_width=3, n_best=3, length_penalty=0.5)
    informing = serving(
        model, temperature=0.0, beam_width=3, n_best=3, length_penalty=0.5, information=0.9
    )
    texts = tf.constant(["A dog\n."])
    found = [set(each.answer_n_best(texts)["answers"].numpy()[0]) for each in (bot, informing)]
    assert found[0] == found[1] and len(found[0]) == 3


def test_options_are_scalars_of_a_signature(model):
    bot = serving(model, seed=3, top_p=0.8, information=0.2)
    texts = tf.constant(["A dog", "A cat"])
    given = [tf.constant(value) for value in (1.0, 0.8, 0.2)]
    answer = bot.answer_with_options(texts, *given, tf.constant(3))
    assert written(answer) == written(bot.answer(texts))
    assert set(bot.endpoints()) == {"serving_default", "with_turns", "with_options"}


# The vocabulary of a model of the other direction, which has other words in another order.
OTHER_WORDS = TokenizerVocabulary("words", (" sleeps", "\n", " cat", "A"))


@pytest.fixture(scope="module")
def reversed_model():
    keras.utils.set_random_seed(2)
    size = OTHER_WORDS.vocabulary_size
    made = Translator(size, size, 4, {"cell": "gru", "units": 3, "use_cudnn": False})
    generator = np.random.default_rng(3)
    made.set_weights([w + generator.normal(0, 0.9, w.shape) for w in made.get_weights()])
    return made


def reversed_bot(reversed_model):
    search = TranslationSearch(max_length=3, source_length=5)
    return ServingChatbot(Tokenizer(OTHER_WORDS), reversed_model, search, ChatSearch())


def test_the_last_turn_given_each_answer_counts_by_its_length(model, reversed_model):
    bot = reversed_bot(reversed_model)
    options = {"n_best": 4, "length_penalty": 0.7}
    plain = serving(model, **options)
    choosing = ServingChatbot(
        plain.preprocessor, model, plain.search, plain.several, bot
    ).answer_n_best(tf.constant(["A dog\nA cat sleeps sleeps sleeps"]))
    likely = plain.answer_n_best(tf.constant(["A dog\nA cat sleeps sleeps sleeps"]))
    scores = dict(zip(written_all(likely), likely["scores"].numpy()[0], strict=True))
    assert list(choosing["scores"].numpy()[0]) == sorted(choosing["scores"].numpy()[0])[::-1]
    tokenizer = Tokenizer(OTHER_WORDS)
    # Three tokens of the turn are scored, and its end: the reversed model has learned no more.
    turn = tf.concat([tokenizer.encode(["A cat sleeps sleeps"]).to_tensor()[:, :3], [[END]]], 1)
    divisor = ((5 + 4) / 6) ** 0.7
    for text, value in zip(written_all(choosing), choosing["scores"].numpy()[0], strict=True):
        read = tokenizer.encode([" ".join(text.split())])[:, -5:].to_tensor()
        read = tf.concat([tf.cast(read, tf.int32), [[END]]], 1)
        logits = reversed_model({"token_ids": read, "target_ids": prepend_start(turn)})
        logs = tf.gather(tf.nn.log_softmax(logits), turn, batch_dims=2)
        assert_allclose(value, scores[text] + float(tf.reduce_sum(logs)) / divisor, atol=1e-4)
    assert len(scores) > 1


def test_a_reversed_model_scores_a_row_alone_as_in_a_batch_and_an_empty_batch(reversed_model):
    bot = reversed_bot(reversed_model)
    texts = [["A cat", "A"], ["sleeps", " A \n cat "]]
    together = bot.score_answer(tf.constant(texts), tf.constant(["A", "A cat sleeps"])).numpy()
    alone = bot.score_answer(tf.constant(texts[:1]), tf.constant(["A"])).numpy()
    assert_allclose(together[:1], alone, atol=1e-5)
    # A turn is one line.
    again = bot.score_answer(tf.constant([["A cat"]]), tf.constant(["A cat sleeps"])).numpy()
    assert_allclose(together[1, 1], again[0, 0], atol=1e-5)
    assert together[0, 0] != together[0, 1]
    empty = bot.score_answer(tf.zeros([0, 2], tf.string), tf.zeros([0], tf.string))
    assert empty.shape == (0, 2)
