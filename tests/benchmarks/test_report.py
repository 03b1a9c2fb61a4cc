import json

import pytest

from data.errors import UserError


@pytest.fixture
def results(tmp_path):
    """Makes `Results` of one file."""
    from harness.report import Results

    return lambda again=False: Results(tmp_path / "results.json", ("cell", "units"), again)


RECORD = {"cell": "lstm", "units": 128, "milliseconds": 3.5}
KEY = {"cell": "lstm", "units": 128}


def test_a_power_law_is_recovered_from_its_points():
    from harness.report import power_law

    xs = [1, 2, 4, 8]
    assert power_law(xs, [3 * x**1.5 for x in xs]) == pytest.approx((1.5, 3))


def test_the_geometric_mean_of_two_and_a_half_is_one():
    from harness.report import geometric_mean

    assert geometric_mean([2, 0.5]) == pytest.approx(1)


def test_a_markdown_table_has_a_rule_below_its_titles():
    from harness.report import markdown

    assert markdown(("a", "b"), [(1, 2)]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_plain_table_aligns_the_first_column_left_and_the_others_right():
    from harness.report import plain

    assert plain(("cell", "ms"), [("lstm", 1.5), ("x", 20)]) == "cell   ms\nlstm  1.5\nx      20"


def test_what_was_measured_is_not_measured_again(results):
    first = results()
    assert first.get(**KEY) is None
    first.add(RECORD)
    assert results().get(**KEY) == RECORD
    assert results().get(cell="gru", units=128) is None


def test_what_failed_is_measured_again(results):
    results().add({**RECORD, "failed": {"torch": "out of memory"}})
    assert results().get(**KEY) is None


def test_again_measures_once_more_and_keeps_the_rest(results):
    first = results()
    first.add(RECORD)
    first.add({**RECORD, "cell": "gru"})
    again = results(again=True)
    assert again.get(**KEY) is None
    again.add({**RECORD, "milliseconds": 2.5})
    assert again.get(**KEY)["milliseconds"] == 2.5
    assert results().get(cell="gru", units=128) is not None


def test_results_of_other_models_are_refused_and_replaced_with_again(results, tmp_path):
    results().add(RECORD)
    path = tmp_path / "results.json"
    whole = json.loads(path.read_text())
    whole["surroundings"]["models_sha256"] = "other"
    path.write_text(json.dumps(whole))
    with pytest.raises(UserError, match=r"measured with other models_sha256.*--again"):
        results()
    results(again=True).add({**RECORD, "cell": "gru"})
    assert [record["cell"] for record in json.loads(path.read_text())["records"]] == ["gru"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": 1}', '{"records": [{}]}'])
def test_a_file_of_something_else_is_refused(results, tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(UserError, match="not a file of results"):
        results()


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5"])
def test_a_count_is_a_whole_number_of_at_least_one(text):
    from harness.report import count

    with pytest.raises(ValueError):
        count(text)
