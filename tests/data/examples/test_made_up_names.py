import re

from data.examples.made_up_names import MadeUpNames, find_names
from data.examples.parallel import Pair

PAIRS = [
    Pair("Tom's sister lives in Boston.", "La sœur de Tom vit à Boston."),
    Pair("Is Tom here, or has Tom left?", "Tom est-il ici, ou Tom est-il parti ?"),
    Pair("I eat an orange.", "Je mange une orange."),
]


def test_names_begin_with_a_capital_and_stand_on_both_sides():
    assert find_names(PAIRS[0]) == ["Tom", "Boston"]
    assert find_names(PAIRS[1]) == ["Tom"]
    assert find_names(PAIRS[2]) == []
    assert find_names(Pair("A Tomcat saw Mary and 12 X.", "Tom X A Tomcats 12")) == []


def test_all_names_are_replaced_alike_on_both_sides_and_nothing_else_is():
    names = MadeUpNames(PAIRS)
    assert len(names) == 2
    first, second, third = names.replace(1.0, (0, 0))
    tom, boston = re.fullmatch(r"(.+)'s sister lives in (.+)\.", first.source).groups()
    assert first.target == f"La sœur de {tom} vit à {boston}."
    (tom,) = set(re.fullmatch(r"Is (.+) here, or has (.+) left\?", second.source).groups())
    assert second.target == f"{tom} est-il ici, ou {tom} est-il parti ?"
    assert not {"Tom", "Boston"} & {*find_names(first), *find_names(second)}
    assert third == PAIRS[2]


def test_made_up_names_are_one_word_or_two_and_begin_with_capitals():
    made_up = MadeUpNames(PAIRS[1:2] * 200).replace(1.0, (0, 0))
    names = [pair.source.removeprefix("Is ").partition(" here")[0] for pair in made_up]
    words = [word for name in names for word in name.split()]
    assert all(word.istitle() and 4 <= len(word) <= 10 for word in words)
    assert {len(name.split()) for name in names} == {1, 2}
    # Some are written backwards: of "left" and "parti" no word begins with these letters.
    assert any(word.startswith("Tf") for word in words)


def test_some_names_are_replaced_by_chance_anew_with_each_seed():
    names = MadeUpNames(PAIRS[1:2] * 400)
    draws = [names.replace(0.25, (7, epoch)) for epoch in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    new = {find_names(pair)[0] for pair in draws[0]} - {"Tom"}
    replaced = sum(pair != PAIRS[1] for pair in draws[0])
    # Four standard deviations around the mean; of what the words have, hardly two are alike.
    assert 65 < replaced < 135 and len(new) > 10
    assert names.replace(0.0, (7, 0)) == PAIRS[1:2] * 400


def test_pairs_without_words_to_make_names_of_stay_as_they_are():
    pairs = [Pair("Al is in.", "Al y va.")]
    assert MadeUpNames(pairs).replace(1.0, (0, 0)) == pairs
