import pytest

from data.formats.readers import read_records
from data.identity_terms.files import read_identity_terms
from data.registry import IDENTITY_TERMS

ROWS = """\
kind,group,form,term
religion,muslim,noun_singular,Muslim
religion,muslim,adjective,Muslim
religion,muslim,noun_plural,Muslims
religion,jewish,noun_singular,Jew
religion,jewish,noun_plural,Jews
religion,jewish,adjective,Jewish
religion,atheist,noun_singular,atheist
religion,atheist,adjective,atheist
religion,atheist,noun_plural,atheists
origin,black,adjective,black
origin,black,adjective,African American
origin,african,adjective,African
origin,european,adjective,European
gender,female,noun_singular,woman
gender,male,noun_singular,man
gender,transgender,noun_singular,trans woman
age,old,adjective,elderly
"""


@pytest.fixture(scope="module")
def terms(tmp_path_factory):
    path = tmp_path_factory.mktemp("terms") / "terms.csv"
    path.write_text(ROWS)
    return read_identity_terms(path)


def swapped(terms, text):
    return {swap.text for swap in terms.swaps(text)}


# --- matching ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("MUSLIMS and Jews", {"muslim", "jewish"}),
        ("a non-Muslim's view", {"muslim"}),
        ("#black #jewish", {"black", "jewish"}),
        ("an African\n american writer", {"black"}),
        ("an African-American writer", {"black"}),
        ("African. American", {"african"}),
        ("African -- American", {"african"}),
        ("", set()),
    ],
)
def test_terms_are_found_as_whole_words_in_any_case(terms, text, groups):
    assert terms.find_groups(text) == groups


@pytest.mark.parametrize(
    "text", ["muslimah", "blackboard", "black_", "the jewishness", "womanly", "Muslimſ"]
)
def test_no_term_is_found_inside_a_word(terms, text):
    assert terms.find_groups(text) == set()


@pytest.mark.parametrize(
    "text", ["@black hello", "https://a.example/black/man", "see www.black.example", "HTTP://man"]
)
def test_no_term_is_found_in_a_user_name_or_a_link(terms, text):
    assert terms.find_groups(text) == set() and swapped(terms, text) == set()


def test_the_longest_term_of_a_kind_counts_and_other_kinds_stay(terms):
    found = [place.term.written for place in terms.find("an African American trans woman")]
    assert found == ["African American", "trans woman"]
    assert terms.find_groups("a black man") == {"black", "male"}


# --- swapping ----------------------------------------------------------------


def test_a_term_is_swapped_for_terms_of_its_kind_and_form_but_another_group(terms):
    assert swapped(terms, "two Jews") == {"two Muslims", "two Atheists"}
    assert swapped(terms, "my Jew") == {"my Muslim", "my Atheist"}


def test_a_noun_that_is_an_adjective_too_is_not_replaced_by_a_noun_alone(terms):
    assert swapped(terms, "Muslim food") == {"Atheist food"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jews!", "Muslims!"),
        ("jews!", "muslims!"),
        ("JEWS!", "MUSLIMS!"),
        ("jEWS!", "muslims!"),
    ],
)
def test_the_case_of_the_term_is_kept(terms, text, expected):
    assert expected in swapped(terms, text)


def test_a_term_without_capitals_gets_one_at_the_head_of_a_sentence(terms):
    assert swapped(terms, "Woman. woman") == {"Man. man", "Trans woman. trans woman"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She is a Muslim.", "She is an Atheist."),
        ("An atheist came", "A muslim came"),
        ("A JEW", "An ATHEIST"),
        ("a black writer", "an african writer"),
        ("an African writer", "a European writer"),
        ("a European writer", "an African American writer"),
        ("a  \tJew", "an  \tAtheist"),
        ("a poor Jew", "a poor Atheist"),
        ("a-Muslim", "a-Atheist"),
        ("data Jew", "data Atheist"),
    ],
)
def test_the_article_before_a_term_is_mended(terms, text, expected):
    assert expected in swapped(terms, text)


def test_an_article_that_was_wrong_before_stays_where_the_sound_is_the_same(terms):
    assert "a African American writer" in swapped(terms, "a African writer")


def test_terms_of_several_words_are_swapped_whole(terms):
    assert swapped(terms, "a trans-woman here") == {"a woman here", "a man here"}


def test_a_term_is_swapped_wherever_it_stands_and_nothing_else_is_changed(terms):
    text = "Jews, a https://jews.example link; blackjews & <b>Jews</b>\n"
    assert swapped(terms, text) == {
        "Muslims, a https://jews.example link; blackjews & <b>Muslims</b>\n",
        "Atheists, a https://jews.example link; blackjews & <b>Atheists</b>\n",
    }


def test_each_term_of_a_text_is_swapped_alone(terms):
    assert swapped(terms, "Muslims and a black man") >= {
        "Jews and a black man",
        "Muslims and an african man",
        "Muslims and a black woman",
    }


def test_shares_of_a_text_and_group_sum_to_one(terms):
    swaps = list(terms.swaps("Muslims, Muslim food and a Jew"))
    for group in ("muslim", "jewish"):
        shares = [swap.share for swap in swaps if swap.group == group]
        assert len(shares) > 1 and sum(shares) == pytest.approx(1)


def test_a_term_without_a_partner_names_its_group_and_is_not_swapped(terms):
    assert terms.find_groups("elderly") == {"old"}
    assert swapped(terms, "elderly") == set()


# --- the lists that ship -----------------------------------------------------


@pytest.mark.parametrize("of_the_sample", [False, True])
def test_the_terms_that_ship_can_be_read_and_have_partners(shipped_samples, of_the_sample):
    path = shipped_samples / "identity_terms.csv" if of_the_sample else IDENTITY_TERMS
    terms = read_identity_terms(path)
    kinds = list(terms.groups.values())
    assert all(kinds.count(kind) > 1 for kind in kinds)
    places = [terms.find(record.values["term"]) for record in read_records(str(path))]
    written = [place.term for found in places for place in found]
    without = {term.written for term in written if not terms.find_partners(term)}
    assert without <= {"Latina", "Latinas"}


def test_the_terms_that_ship_are_of_the_kinds_that_the_documentation_names():
    groups = read_identity_terms(IDENTITY_TERMS).groups
    assert list(dict.fromkeys(groups.values())) == [
        "religion",
        "origin",
        "gender",
        "sexual orientation",
        "disability",
        "age",
    ]
