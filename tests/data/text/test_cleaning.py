import time

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from data.registry import STANDARDIZERS
from data.text.cleaning import decode_entities, drop_format_characters, tokenize


def tokens(text, standardize="tweet"):
    if isinstance(text, str):
        text = text.encode("utf-8")
    row = tokenize(tf.constant([text]), standardize)[0]
    return [token.decode("utf-8") for token in row.numpy()]


N = "<number>"
TWEETS = {
    "words": ("Good MORNING Ünal", ["good", "morning", "ünal"]),
    "entities with names": ("a &amp; &quot;b&quot; &lt;3", ["a", "&", '"', "b", '"', "<", N]),
    "a decimal entity": ("so&#128514;", ["so", "😂"]),
    "a hexadecimal entity": ("&#x1F602;&#X1f602;", ["😂", "😂"]),
    "adjacent entities": ("&#65;&#66;c", ["abc"]),
    "a double-escaped entity": ("&amp;#128514;", ["😂"]),
    "a thrice-escaped name": ("&amp;amp;lt;", ["&", "lt", ";"]),
    "an entity beyond Unicode": ("&#9999999; &#x110000;", ["\ufffd", "\ufffd"]),
    "an entity of a surrogate": ("&#xD800; &#56832;", ["\ufffd", "\ufffd"]),
    "an entity too long to be one": ("&#99999999;", ["&", "#", N, ";"]),
    "no entity at all": ("&#; &#x; &#65", ["&", "#", ";", "&", "#", "x", ";", "&", "#", N]),
    "an entity of a line break": ("a&#10;b", ["a", "b"]),
    "an entity of zero": ("a&#0;b", ["a", "b"]),
    "a user": ("@Ann_1: hi @ben", ["<user>", ":", "hi", "<user>"]),
    "users in a row": ("@ann@ben", ["<user>", "<user>"]),
    "an at sign alone": ("at @ noon", ["at", "@", "noon"]),
    "a link": ("see http://t.co/Ab?c=1, HTTPS://x.org", ["see", "<url>", "<url>"]),
    "a link without scheme": ("www.x.org/y", ["<url>"]),
    "a link cut short": ("look https:…", ["look", "<url>"]),
    "numbers": ("3 1,000.50 12:30 4th", [N, N, N, N, "th"]),
    "repeated letters": ("soooo coool", ["soo", "cool"]),
    "doubled letters": ("good feet", ["good", "feet"]),
    "repeated signs": ("what?!?!", ["what", "?", "!", "?", "!"]),
    "runs of one sign": ("wow!!!!! no???? so....", ["wow", *"!!", "no", *"??", "so", *".."]),
    "runs with spaces": ("! ! !", ["!", "!"]),
    "emoji": ("ha😂😂❤ha", ["ha", "😂", "😂", "❤", "ha"]),
    "a skin tone": ("👍🏽", ["👍", "🏽"]),
    "a private-use emoji": ("hi\ue415", ["hi", "\ue415"]),
    "typographic quotation marks": ("“it’s” „don‘t»", ['"', "it's", '"', '"', "don't", '"']),
    "a hash tag": ("#monday", ["#", "monday"]),
    "control characters": ("a\x00b\x01c\x1fd\x7fe\x85f", ["a", "b", "c", "d", "e", "f"]),
    "the decoder's own marks": ("x\x01128514,\x02y", ["x", N, ",", "y"]),
    "line ends and tabs": ("a\r\nb\tc", ["a", "b", "c"]),
    "a backslash": (r"a\1", ["a\\", N]),
    "invalid UTF-8": (b"caf\xe9 au \xff", ["caf", "\ufffd", "au", "\ufffd"]),
    "UTF-8 cut short": (b"ab\xf0\x9f\x98", ["ab", "\ufffd"]),
    "nothing": ("", []),
    "spaces": ("   ", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TWEETS.values(), ids=TWEETS)
def test_tweets_by_hand(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's GOOD, ok?", ["it's", "good", ",", "ok", "?"]),
        ("1,000", ["1", ",", "000"]),
        ("@ann #tag &lt;", ["@", "ann", "#", "tag", "&", "lt", ";"]),
        ("ha😂", ["ha", "😂"]),
        (b"\xff a\x00b", ["\ufffd", "a", "b"]),
        ("", []),
        pytest.param(
            "Été à Łódź",
            ["été", "à", "łódź"],
        ),
        pytest.param(
            "Привет, мир",
            ["привет", ",", "мир"],
        ),
    ],
)
def test_plain_texts_by_hand(text, expected):
    assert tokens(text, "plain") == expected


REVIEWS = {
    "contractions": ("It's fun; I can't, won't, don't", "it 's fun ; i ca n't , wo n't , do n't"),
    "more of them": ("they're we've I'd she'll I'm", "they 're we 've i 'd she 'll i 'm"),
    "what is tokenised": ("it 's fun , i ca n't wo n't", "it 's fun , i ca n't wo n't"),
    "typographic apostrophes": ("It’s “bad”", "it 's “ bad ”"),
    "quotation marks": ("'so' \"so\" dogs' songs", "' so ' \" so \" dogs ' songs"),
    "other apostrophes": ("o'clock the '70s", "o ' clock the ' 70s"),
    "line breaks": ("Good.<br /><br />Bad<br>x", "good . bad x"),
    "a tag with attributes": ('<a href="x y">here</a>', "here"),
    "no tags": ("a < b > c <3", "a < b > c < 3"),
    "marks": ("8/10, ***1/2", "8 / 10 , * * * 1 / 2"),
    "escapes": ("rock &amp; roll &lt;br&gt;", "rock & roll"),
    "letters of others": ("Amélie, Łódź", "amélie , łódź"),
    "invalid UTF-8": (b"caf\xe9!", "caf \ufffd !"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "expected"), REVIEWS.values(), ids=REVIEWS)
def test_reviews_by_hand(text, expected):
    assert tokens(text, "review") == expected.split()


@pytest.mark.parametrize(("text", "expected"), REVIEWS.values(), ids=REVIEWS)
def test_a_tokenised_review_is_tokenised_the_same(text, expected):
    again = " ".join(tokens(text, "review"))
    assert tokens(again, "review") == expected.split()


def test_none_splits_at_white_space_alone():
    assert tokens("It's\tGOOD,  @ann &lt;", "none") == ["It's", "GOOD,", "@ann", "&lt;"]


@pytest.mark.parametrize("standardize", STANDARDIZERS)
@pytest.mark.parametrize(
    "space",
    [
        " ",
        "\x85",
        pytest.param("\u00a0"),
        pytest.param("\u2028"),
        pytest.param("\u3000"),
    ],
    ids=ascii,
)
def test_words_part_at_every_white_space(space, standardize):
    assert tokens(f"ham{space}eggs", standardize) == ["ham", "eggs"]


def test_one_character_is_one_token_whatever_its_escape():
    assert tokens("a&nbsp;b") == tokens("a&#160;b") == tokens("a&#xA0;b")


def test_an_emoji_with_a_variation_selector_is_the_same_token():
    assert tokens("❤\ufe0f") == tokens("❤")


UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2064"
    "\u2066\u2069\u3164\ufe00\ufe0f\ufeff\ufff9\U000e0041\U000e0100\U000e01ef"
)


@pytest.mark.parametrize("standardize", STANDARDIZERS)
@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
def test_invisible_characters_change_no_token(character, standardize):
    hidden = "x".join(["You are awarxded ", " a FREE prixze❤", " caxn't @axnn 1x0! httpx://a.b"])
    assert tokens(hidden.replace("x", character), standardize) == tokens(
        hidden.replace("x", ""), standardize
    )


@pytest.mark.parametrize("standardize", ["tweet", "review"])
@pytest.mark.parametrize(
    "escape",
    [
        "&#xAD;",
        "&#173;",
        "&shy;",
        "&amp;shy;",
        "&zwj;",
        "&zwnj;",
        "&lrm;",
        "&rlm;",
        "&#8203;",
        "&ZeroWidthSpace;",
        "&NoBreak;",
        "&#xFE0F;",
        "&#xE0041;",
        "&InvisibleTimes;",
    ],
)
def test_escapes_of_invisible_characters_change_no_token(escape, standardize):
    assert tokens(f"awar{escape}ded", standardize) == ["awarded"]


def test_an_emoji_of_several_parts_is_its_parts():
    assert tokens("👩\u200d👩\ufe0f\u200d👧") == ["👩", "👩", "👧"]


def test_what_looks_like_a_space_parts_words():
    assert tokens("free\u2800prize") == ["free", "prize"]


def dropped(text):
    return drop_format_characters(tf.constant([text])).numpy()[0].decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("awar\u00added\ufeff \u202aFREE\u202c\u200e", "awarded FREE"),
        ("f\u200dr\u200ce\u200d\u200ce \u200dprize\u200c", "free prize"),
        ("\u200dа\u200cб\u200d.", "аб."),
        # Persian; Malayalam, whose old texts end words with a joiner; digits and names before them.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("അവന്\u200d വന്നു", "അവന്\u200d വന്നു"),
        ("۲۰\u200cساله PDF\u200cها", "۲۰\u200cساله PDF\u200cها"),
        ("👩\u200d👧 ❤\ufe0f\u200d🔥", "👩\u200d👧 ❤\u200d🔥"),
        ("a\u2800b\x01\n c", "a\u2800b\x01\n c"),
    ],
)
def test_what_is_written_again_keeps_joiners_where_they_belong_to_the_spelling(text, expected):
    assert dropped(text) == expected


def test_of_bytes_that_are_no_text_none_is_dropped():
    texts = tf.constant([b"\xff\xc2\xad\xfea\xe2\x80", b"\xc2\xc2\xad\xad"])
    assert drop_format_characters(texts).numpy().tolist() == [b"\xff\xfea\xe2\x80", b"\xc2\xad"]


HOSTILE = [
    "&#65;",
    "&#",
    "<a",
    "n ' ",
    "! ",
    "a\u00ad",
    "\u0301",
    "&amp;",
    "@",
    "1.",
    "&shy;",
    "a\u200d",
]


@pytest.mark.parametrize("standardize", STANDARDIZERS)
def test_megabytes_of_anything_are_cleaned_in_linear_time(standardize):
    clean = tf.function(
        lambda texts: tokenize(texts, standardize),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    texts = tf.constant([part * (200_000 // len(part)) for part in [*HOSTILE, " ", "a"]])
    begun = time.process_time()
    assert clean(texts).nrows() == len(HOSTILE) + 2
    # A pattern that takes quadratic time needs about 30 s for one of them.
    assert time.process_time() - begun < 25


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.sampled_from([*STANDARDIZERS]))
def test_any_bytes_become_valid_utf8_without_ascii_white_space(texts, standardize):
    rows = tokenize(tf.constant(texts), standardize)
    assert rows.nrows() == len(texts)
    for token in rows.flat_values.numpy():
        assert token.decode("utf-8").split(" ") == [token.decode("utf-8")] != [""]


@settings(deadline=None, max_examples=60)
@given(st.text("&#xX0123456789aF;amp, lt😂", max_size=30))
def test_things_like_entities_never_fail(text):
    assert decode_entities(tf.constant([text])).shape == [1]


def test_a_row_does_not_depend_on_its_neighbours():
    rows = tokenize(tf.constant(["a &#65; b", "", "😂😂"]), "tweet")
    assert rows.to_list() == [[b"a", b"a", b"b"], [], ["😂".encode()] * 2]


def test_the_clean_up_is_the_same_inside_a_graph():
    graph = tf.function(
        lambda texts: tokenize(texts, "tweet"),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    text = "@ann &amp;#128514; soooo 3 http://x"
    assert graph(tf.constant([text])).to_list()[0] == [t.encode() for t in tokens(text)]


def test_an_unknown_clean_up_lists_the_known_ones():
    known = r"Unknown standardize 'twet'\. Choose one of: tweet, review, plain, none\."
    with pytest.raises(ValueError, match=known):
        tokens("x", "twet")
