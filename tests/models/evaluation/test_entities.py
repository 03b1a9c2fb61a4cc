import numpy as np
import pytest
import seqeval.metrics

from models.evaluation.entities import entity_metrics, entity_table, micro_f1

TYPES = ("LOC", "PER")
TOKENS = [["Ana", "Bo", "met", "Jo", "in", "Lyon"], ["Lyon", "is", "big"], ["a", "b", "c"]]
TRUTH = [
    ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC"],
    ["B-LOC", "O", "O"],
    ["B-LOC", "I-LOC", "O"],
]
# A boundary, a missed one, a right one; a type; a boundary and type, an invented one.
FOUND = [
    ["B-PER", "O", "O", "O", "O", "B-LOC"],
    ["B-PER", "O", "O"],
    ["O", "B-PER", "B-LOC"],
]


@pytest.fixture(scope="module")
def report():
    return entity_metrics(TOKENS, TRUTH, FOUND, TYPES)


def test_an_entity_counts_if_type_and_both_ends_are_right(report):
    assert report["precision"] == pytest.approx(1 / 5)
    assert report["recall"] == pytest.approx(1 / 5)
    assert report["per_class"]["LOC"] == {
        "precision": 0.5,
        "recall": pytest.approx(1 / 3),
        "f1": pytest.approx(0.4),
        "support": 3,
    }
    assert report["f1"] == pytest.approx(micro_f1(TRUTH, FOUND)) == pytest.approx(0.2)


def test_tokens_count_one_by_one(report):
    assert report["token_accuracy"] == pytest.approx(6 / 12)
    assert (report["rows"], report["tokens"]) == (3, 12)


def test_surface_forms_count_once():
    tokens = [["Lyon"], ["Lyon"], ["Ana"]]
    truth = [["B-LOC"], ["B-LOC"], ["B-PER"]]
    found = [["B-LOC"], ["O"], ["O"]]
    surface = entity_metrics(tokens, truth, found, TYPES)["surface"]
    assert surface == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}


def test_a_form_is_found_only_where_it_stands():
    tokens = [["Lyon"], ["Lyon"], ["Ana"]]
    truth, found = [["B-LOC"], ["O"], ["B-PER"]], [["O"], ["B-LOC"], ["B-PER"]]
    # One of two forms, though the sets of both are equal.
    surface = entity_metrics(tokens, truth, found, TYPES)["surface"]
    assert surface == {"precision": 0.5, "recall": 0.5, "f1": 0.5}


def test_a_form_of_two_types_counts_for_each():
    tokens = [["Lyon"], ["Lyon"], ["Lyon"]]
    truth, found = [["B-LOC"], ["B-PER"], ["B-PER"]], [["B-LOC"], ["B-LOC"], ["B-LOC"]]
    surface = entity_metrics(tokens, truth, found, TYPES)["surface"]
    assert surface == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}


def test_errors_are_told_by_kind(report):
    counts = {kind: errors["count"] for kind, errors in report["errors"].items()}
    assert counts == {"missed": 1, "invented": 1, "boundary": 1, "type": 1, "boundary and type": 1}
    [boundary] = report["errors"]["boundary"]["most_frequent"]
    assert boundary == {"text": "Ana Bo / Ana", "true": "PER", "predicted": "PER", "count": 1}
    [missed] = report["errors"]["missed"]["most_frequent"]
    assert missed == {"text": "Jo", "true": "PER", "predicted": None, "count": 1}


def test_the_confusion_is_over_types_and_nothing(report):
    assert report["confusion_names"] == ["LOC", "PER", "nothing"]
    assert report["confusion_matrix"] == [[1, 2, 0], [0, 1, 1], [1, 0, 0]]


def test_an_entity_belongs_to_the_one_that_it_shares_most_with():
    truth = [["B-PER", "I-PER", "I-PER", "B-LOC"]]
    found = [["B-LOC", "B-PER", "I-PER", "I-PER"]]
    report = entity_metrics([list("abcd")], truth, found, TYPES)
    # The person is two tokens of the found one; the place and the found place share none.
    assert report["confusion_matrix"] == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_without_entities_all_metrics_are_nought():
    report = entity_metrics([["a"]], [["O"]], [["O"]], TYPES)
    assert report["f1"] == report["macro_f1"] == report["surface"]["f1"] == 0.0
    assert report["token_accuracy"] == 1.0


def test_intervals_are_those_of_resampled_texts():
    def interval(right, missed):
        truth = [["B-PER"]] * (right + missed)
        found = [["B-PER"]] * right + [["O"]] * missed
        report = entity_metrics([["x"]] * len(truth), truth, found, TYPES)
        return report["intervals"]["f1"]

    assert interval(5, 0) == [1.0, 1.0]
    # A quarter of the resamples of two texts has the right one twice, a quarter never.
    assert interval(1, 1) == [0.0, 1.0]
    # Of 1,000 drawn ones 469 to 531 are right in 95 of 100 cases; F1 is 2 k / (1000 + k).
    assert interval(500, 500) == pytest.approx([2 * 469 / 1469, 2 * 531 / 1531], abs=0.005)


def test_the_table_shows_types_metrics_and_errors(report):
    table = entity_table(report)
    assert "F1 0.200" in table
    assert "missed: 1\n    Jo: PER, said nothing (1)" in table
    assert "boundary: 1\n    Ana Bo / Ana: PER (1)" in table


def test_words_with_an_end_of_an_entity_inside_are_told(report):
    table = entity_table({**report, "cut_words": {"count": 2, "first": "Graz-Lyon"}})
    assert "2 words such as 'Graz-Lyon' have the beginning or end of an entity inside" in table
    assert "words such as" not in entity_table(report)


def test_metrics_are_those_of_seqeval():
    tags, generator = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], np.random.default_rng(0)
    truth = [[tags[i] for i in row] for row in generator.integers(0, 5, (300, 7))]
    found = [
        [tag if keep else "O" for tag, keep in zip(row, kept, strict=True)]
        for row, kept in zip(truth, generator.random((300, 7)) < 0.8, strict=True)
    ]
    report = entity_metrics([["x"] * 7] * 300, truth, found, TYPES)
    expected = seqeval.metrics.classification_report(truth, found, output_dict=True)
    for kind in TYPES:
        assert report["per_class"][kind]["f1"] == pytest.approx(expected[kind]["f1-score"])
        assert report["per_class"][kind]["support"] == expected[kind]["support"]
    assert report["precision"] == pytest.approx(expected["micro avg"]["precision"])
    assert report["recall"] == pytest.approx(expected["micro avg"]["recall"])
    assert report["macro_f1"] == pytest.approx(expected["macro avg"]["f1-score"])
