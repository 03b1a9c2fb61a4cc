import time

import pytest
import tensorflow as tf

from data.text.characters import is_invisible
from data.text.word_tokenizer import tokenize_words

SENTENCES = {
    "Angela Merkel visited Lyon.": "Angela|Merkel|visited|Lyon|.",
    "Lyon's mayor can't (won't!) come": "Lyon|'s|mayor|ca|n't|(|wo|n't|!|)|come",
    "It’s O'Neill, Jean-Paul and AT&T": "It|’s|O'Neill|,|Jean-Paul|and|AT&T",
    "in the U.S. on 1996-08-22 at 10:30": "in|the|U.S.|on|1996-08-22|at|10:30",
    "Dr. Oz paid $1,000.50 to Acme Inc.": "Dr.|Oz|paid|$|1,000.50|to|Acme|Inc.",
    "RT @Ana_B: #GoTeam!!! :) <3 http://t.co/x1.": "RT|@Ana_B|:|#GoTeam|!!!|:)|<3|http://t.co/x1|.",
    "mail bob.k@site.co.uk or see amazon.com...": "mail|bob.k@site.co.uk|or|see|amazon.com|...",
    "São Tomé\u00a0and Zürich": "São|Tomé|and|Zürich",
    "— Ça, „Žižek“ said": "—|Ça|,|„|Žižek|“|said",
    "東京タワー、iPhone手机 #東京 \U00020000": "東|京|タ|ワ|ー|、|iPhone|手|机|#|東|京|\U00020000",
    "สวัสดี น้ำ": "ส|วั|ส|ดี|น้|ำ",
    "ភាសា မြန်မာ が\u3099": "ភា|សា|မြ|န်|မာ|が\u3099",
    "서울에서 왔어요": "서울에서|왔어요",
    "a 76ers fan🏀🏀 here": "a|76ers|fan|🏀|🏀|here",
    "": "",
    " \t\n ": "",
}


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_becomes_tokens(text):
    found = tokenize_words(tf.constant([text])).strings[0].numpy()
    assert "|".join(token.decode() for token in found) == SENTENCES[text]


def test_tokens_stand_where_they_say_in_code_points():
    texts = [*SENTENCES, "  two  spaces ", "\x1fodd\x1f \x00ends\r\n"]
    tokens = tokenize_words(tf.constant(texts))
    for text, *columns in zip(texts, *(each.to_list() for each in tokens), strict=True):
        for token, start, end in zip(*columns, strict=True):
            assert text[start:end] == token.decode()


def test_no_character_is_lost():
    for text in SENTENCES:
        found = tokenize_words(tf.constant([text])).strings[0].numpy()
        assert b"".join(found).decode() == "".join(text.split())


def test_a_text_of_tokens_keeps_them():
    for tokens in SENTENCES.values():
        text = tokens.replace("|", " ")
        found = tokenize_words(tf.constant([text])).strings[0].numpy()
        assert [token.decode() for token in found] == tokens.split("|") * bool(tokens)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ly\u00adon ca\u2060n\u200d't", "Lyon can't"),
        ("\ufeffAna\u200e \u2764\ufe0f!", "Ana \u2764!"),
        ("東\U000e0100京", "東京"),
        ("\u200e\u200f", ""),
    ],
)
def test_invisible_characters_make_no_other_tokens(text, plain):
    tokens, expected = (tokenize_words(tf.constant([each])) for each in (text, plain))
    assert tokens.strings.to_list() == expected.strings.to_list()
    for token, start, end in zip(*(each.to_list()[0] for each in tokens), strict=True):
        shown = "".join(letter for letter in text[start:end] if not is_invisible(letter))
        assert shown == token.decode()
        assert not is_invisible(text[start]) and not is_invisible(text[end - 1])


def test_bytes_that_are_no_text_are_answered():
    tokens = tokenize_words(tf.constant([b"\xff\xfe ok \xc3", b"\xed\xa0\x80"]))
    assert b"ok" in tokens.strings[0].numpy()
    assert len(tokens.strings[1]) > 0


def test_a_batch_of_none_has_no_tokens():
    tokens = tokenize_words(tf.constant([], tf.string))
    assert all(each.nrows() == 0 for each in tokens)


@pytest.mark.parametrize("part", ["aa.", "aa+", "a-", "a@a-", "www.", "http://!", "aa.com.", "'s"])
def test_a_long_text_of_anything_is_cut_in_linear_time(part):
    begun = time.process_time()
    tokenize_words(tf.constant([part * (300_000 // len(part))]))
    # A pattern that takes quadratic time needs a minute.
    assert time.process_time() - begun < 15


def test_addresses_and_hosts_are_tokens():
    text = "to ann.b+c_d-e@mail.x-y.co.uk, b-@x.org or aa.bb.example.com!"
    found = tokenize_words(tf.constant([text])).strings[0].numpy()
    assert b"|".join(found).decode() == (
        "to|ann.b+c_d-e@mail.x-y.co.uk|,|b-@x.org|or|aa.bb.example.com|!"
    )


def test_private_signs_are_tokens_and_tags_are_none():
    tokens = tokenize_words(tf.constant(["a \U000e0041\U000e01ef\U000f0041 b"]))
    assert [token.decode() for token in tokens.strings[0].numpy()] == ["a", "\U000f0041", "b"]
    assert tokens.starts[0].numpy().tolist() == [0, 4, 6]
