import pytest

from apps.config.serving import ServeOptions
from apps.server.errors import Refusal
from apps.server.limits import Rates, Tokens, check_headers, check_texts, parse_body
from apps.server.protocols.generation import check_options
from data.errors import UserError

OPTIONS = ServeOptions(max_texts=2, max_characters=5, max_body=100)


def status_of(function, *arguments):
    with pytest.raises(Refusal) as caught:
        function(*arguments)
    return caught.value.status, caught.value.message


@pytest.mark.parametrize(
    ("texts", "status", "message"),
    [
        ("a", 400, "texts is a text. Send a list of texts"),
        (None, 400, "texts is null. Send a list of texts"),
        ([], 400, "texts is empty. Send a text at least"),
        (["a", 3], 400, "texts[1] is a number. Send a text"),
        (["a", True], 400, "texts[1] is a truth value. Send a text"),
        (["  "], 400, "texts[0] is an empty text. Leave it out"),
        (["\ud800"], 400, "texts[0] has half of a character (a lone surrogate)"),
        (["a"] * 3, 413, "texts has 3 texts. Send 2 at most"),
        (["a", "abcdef"], 413, "texts[1] has 6 characters. Send 5 at most"),
    ],
)
def test_texts_that_cannot_be_answered_are_refused_with_their_place(texts, status, message):
    assert status_of(check_texts, texts, "texts", OPTIONS, False) == (status, message)


def test_an_empty_text_is_one_where_the_model_can_begin_with_it():
    assert check_texts([""], "texts", OPTIONS, True) == [""]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"texts": [', "the body is no JSON: Expecting value, line 1, column 12"),
        (b"[1]", "the body is a list. Send an object"),
        (b"\xff", "the body is not UTF-8: byte 0"),
        (b'{"a":' * 100_000, "the body is nested too deeply, or has too long a number"),
        (b'{"a":' + b"9" * 5000 + b"}", "the body is nested too deeply, or has too long a number"),
    ],
    ids=["cut", "list", "bytes", "deep", "long"],
)
def test_a_body_that_is_no_object_is_refused(body, message):
    assert status_of(parse_body, body) == (400, message)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/xml"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"content-length": "101"}, 413),
    ],
)
def test_a_body_is_refused_by_its_headers_before_it_is_read(headers, status):
    assert status_of(check_headers, headers, OPTIONS)[0] == status


@pytest.mark.parametrize("kind", ["", "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_needs_no_type(kind):
    check_headers({"content-type": kind}, OPTIONS)


def test_the_token_is_what_the_file_says_and_comes_as_a_bearer():
    tokens = Tokens("open sesame")
    tokens.check("Bearer open sesame")
    tokens.check("bearer open sesame")
    for wrong in ("", "open sesame", "Basic open sesame", "Bearer open", "Bearer é"):
        assert status_of(tokens.check, wrong)[0] == 401
    Tokens(None).check("")


def test_a_client_may_ask_twice_as_often_for_a_moment_and_then_at_its_rate():
    now = [0.0]
    rates = Rates(2, lambda: now[0])
    for _ in range(4):
        rates.check("a")
    assert status_of(rates.check, "a") == (429, "more than 2 requests a second")
    rates.check("b")
    now[0] = 0.5
    rates.check("a")
    assert status_of(rates.check, "a")[0] == 429


def test_options_of_a_continuation_have_bounds_and_defaults():
    found = check_options({"max_length": 5, "temperature": 1})
    assert found == {"max_length": 5, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 0}
    for bad in ({"max_length": 0}, {"top_p": 1.5}, {"seed": 1.5}, {"top_k": True}):
        assert status_of(check_options, bad)[0] == 422
    assert status_of(check_options, {"temprature": 1})[1].endswith("Did you mean temperature?")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tls_cert": "a.pem"}, "--tls-cert and --tls-key go together"),
        ({"token_file": "nowhere"}, "no file 'nowhere'. Check --token-file"),
        ({"max_texts": 9, "queue": 8}, "would never fit into --queue 8"),
    ],
)
def test_options_that_cannot_work_are_refused(given, message):
    with pytest.raises(UserError, match=message):
        ServeOptions(**given).check()


def test_a_file_without_a_token_is_refused(tmp_path):
    (tmp_path / "token").write_text("\n")
    with pytest.raises(UserError, match="holds no token"):
        ServeOptions(token_file=str(tmp_path / "token")).token()
