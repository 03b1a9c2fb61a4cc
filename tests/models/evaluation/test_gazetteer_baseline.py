from models.evaluation.gazetteer_baseline import gazetteer_tags

TOKENS = [["New", "York", "is", "new"], ["York", "is", "old"], ["May", "may"], ["in", "May"]]
TAGS = [
    ["B-LOC", "I-LOC", "O", "O"],
    ["B-ORG", "O", "O"],
    ["B-PER", "O"],
    ["O", "O"],
]


def test_the_longest_known_entity_is_found():
    [found] = gazetteer_tags(TOKENS, TAGS, [["to", "New", "York"]])
    assert found == ["O", "B-LOC", "I-LOC"]


def test_what_is_no_entity_as_often_as_it_is_one_stays_outside():
    # York is an ORG once and part of something else once; May is a name once and a month once.
    assert gazetteer_tags(TOKENS, TAGS, [["York", "in", "May"]]) == [["O", "O", "O"]]


def test_without_entities_nothing_is_found():
    assert gazetteer_tags([["a"]], [["O"]], [["a", "b"], []]) == [["O", "O"], []]
