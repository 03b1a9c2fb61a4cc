import html.parser
import io
import json
import re

import numpy as np
import pytest

from apps.tasks.classification import explanation_output
from apps.tasks.classification.explanation import Explanation, Tally
from data.errors import UserError

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def explanation(**changes):
    values = {
        "answer": "rude 90.0 %   nice 10.0 %",
        "class_name": "rude",
        "words": ["you", "<b>", "fool", "day"],
        "weights": np.array([0.001, 0.5, 2.0, -1.0], "float32"),
        "drops": np.array([0.4, 0.1, 1.5, -2.0], "float32"),
        "figure": 2.2,
        "baseline": 0.7,
        **changes,
    }
    return Explanation(**values)


# --- the figures of an explanation -------------------------------------------


def test_methods_that_rank_words_alike_agree():
    assert explanation().correlation == pytest.approx(0.8)
    assert explanation(drops=-explanation().drops).correlation == pytest.approx(-0.8)
    assert explanation().same_top_word
    assert not explanation(drops=np.array([2.0, 0.4, 1.5, -2.0])).same_top_word


def test_a_word_that_comes_twice_is_one_top_word():
    twice = explanation(words=["fool", "x", "fool", "y"], drops=np.array([3.0, 0.4, 1.5, 0.0]))
    assert twice.same_top_word


@pytest.mark.parametrize("words", [[], ["fool"], ["fool", "fool"]])
def test_words_that_cannot_be_ranked_have_no_correlation(words):
    same = np.ones(len(words))
    few = explanation(words=words, weights=same, drops=same)
    assert few.correlation is None
    assert few.same_top_word
    assert "occlusion" not in explanation_output.format_explanation(few, False)


@pytest.mark.parametrize(
    ("figure", "matters"), [(2.2, False), (2.25, False), (2.3, True), (2.0, True)]
)
def test_a_gap_of_a_few_percent_is_told(figure, matters):
    gap = explanation(figure=figure)
    assert gap.gap == pytest.approx(figure - 0.7 - 1.501, abs=1e-5)
    assert gap.gap_matters == matters
    assert ("the weights miss" in explanation_output.format_explanation(gap, False)) == matters


def test_a_gap_of_next_to_nothing_is_not_told():
    tiny = explanation(figure=0.72, weights=np.array([0.0, 1.0, -1.0, 0.0]))
    assert not tiny.gap_matters


def test_what_was_explained_is_summed_up():
    tally = Tally()
    assert tally.summary() == "no text was explained"
    single = explanation(words=["x"], weights=np.ones(1), drops=np.ones(1), figure=1.7, cut=2)
    for each in (explanation(), single):
        tally.add(each)
    assert tally.summary() == (
        "2 explained; mean rank correlation with occlusion 0.80; the same top word in 100%; "
        "1 too long to be read whole"
    )
    tally.add(explanation(drops=-explanation().drops, figure=9.0))
    assert tally.summary() == (
        "3 explained; mean rank correlation with occlusion 0.00; the same top word in 67%; "
        "1 whose weights miss their sum by more than 5%; 1 too long to be read whole"
    )


# --- the terminal ------------------------------------------------------------


def test_weights_have_signs_without_colours():
    lines = explanation_output.format_explanation(explanation(), colours=False).split("\n    ")
    assert lines == [
        "rude 90.0 %   nice 10.0 %",
        "you <b> fool day",
        'for rude: "fool" +2.00, "<b>" +0.50',
        'against it: "day" -1.00',
        "log-odds of rude +2.20, with every word unknown +0.70",
        "occlusion: rank correlation 0.80, the same top word",
    ]


def test_colours_are_shades_by_sign_and_strength():
    coloured = explanation_output.format_explanation(explanation(), colours=True)
    assert ESCAPE.sub("", coloured) == explanation_output.format_explanation(
        explanation(), colours=False
    )
    words = coloured.split("\n    ")[1].split()
    assert words[0] == "you"
    assert [re.search(r"48;5;(\d+)m", word)[1] for word in words[1:]] == ["224", "196", "153"]
    assert all(word.endswith("\x1b[0m") for word in words[1:])


@pytest.mark.parametrize(
    ("terminal", "no_colour", "wanted"),
    [(True, None, True), (True, "", True), (True, "1", False), (False, None, False)],
)
def test_colours_need_a_terminal_and_nobody_against_them(monkeypatch, terminal, no_colour, wanted):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_colour is not None:
        monkeypatch.setenv("NO_COLOR", no_colour)
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr("sys.stdout", stream)
    assert explanation_output.wants_colours() == wanted


@pytest.mark.parametrize(
    ("cut_at", "line"),
    [
        (0, "[... 9 more words, not read ...] you <b> fool day"),
        (3, "you <b> fool [... 9 more words, not read ...] day"),
    ],
)
def test_what_is_cut_is_said_in_its_place(cut_at, line):
    text = explanation_output.format_explanation(explanation(cut=9, cut_at=cut_at), colours=False)
    assert text.split("\n    ")[1].startswith(line)


def test_only_the_strongest_words_are_listed():
    many = explanation(
        words=[f"w{i}" for i in range(20)], weights=np.arange(20.0), drops=np.arange(20.0)
    )
    listed = (
        explanation_output.format_explanation(many, colours=False)
        .split("for rude: ")[1]
        .splitlines()[0]
    )
    assert listed == ", ".join(f'"w{i}" +{i}.00' for i in range(19, 13, -1))


def test_a_text_without_words_has_no_line_of_them():
    nothing = explanation(words=[], weights=np.zeros(0), drops=np.zeros(0), figure=0.7)
    assert explanation_output.format_explanation(nothing, colours=True).splitlines() == [
        "rude 90.0 %   nice 10.0 %",
        "    log-odds of rude +0.70, with every word unknown +0.70",
    ]


# --- files -------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


ANSWERED = ("predicted_label", "explanation")


def write(path, rows):
    with explanation_output.explanation_writer("body", ANSWERED)(str(path)) as write_row:
        for row in rows:
            write_row(row)


def row(text="you <b> fool day", **others):
    return {**others, "body": text, "predicted_label": "rude", "explanation": explanation()}


def test_a_page_has_every_word_with_both_weights(tmp_path):
    write(tmp_path / "why.html", [row()])
    page = Page(tmp_path / "why.html")
    titles = [attributes["title"] for tag, attributes in page.tags if "title" in attributes]
    assert titles == [
        "weight +0.001, occlusion +0.400",
        "weight +0.500, occlusion +0.100",
        "weight +2.000, occlusion +1.500",
        "weight -1.000, occlusion -2.000",
    ]
    assert "rude 90.0 %   nice 10.0 %" in page.text
    assert 'for rude: "fool" +2.00, "<b>" +0.50' in page.text
    assert 'against it: "day" -1.00' in page.text


def test_nothing_in_a_text_becomes_part_of_the_page(tmp_path):
    evil = '</blockquote><script>alert("&")</script>'
    write(tmp_path / "plain.html", [row("x", source="x")])
    changed = {"words": [evil], "weights": np.ones(1), "drops": np.ones(1), "answer": evil}
    changed = explanation(**changed, class_name=evil)
    write(tmp_path / "evil.html", [{**row(evil, source=evil), "explanation": changed}])
    plain, page = Page(tmp_path / "plain.html"), Page(tmp_path / "evil.html")
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in plain.tags}
    assert page.text.count(evil) == 7


def test_a_page_needs_nothing_from_outside(tmp_path):
    write(tmp_path / "why.html", [row()])
    page = Page(tmp_path / "why.html")
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not {"src", "href"} & {name for _, attributes in page.tags for name in attributes}
    assert "url(" not in (tmp_path / "why.html").read_text()


def test_a_page_has_the_other_columns_and_the_rows_without_an_answer(tmp_path):
    bad = {"body": None, "start": "00:02.000", "predicted_label": None, "explanation": None}
    write(tmp_path / "why.html", [row(start="00:01.000", note=None, speaker=""), bad])
    page = Page(tmp_path / "why.html")
    assert "start: 00:01.000\n" in page.text and not re.search("note:|speaker", page.text)
    assert "start: 00:02.000" in page.text and "no answer" in page.text
    assert [tag for tag, _ in page.tags].count("article") == 2


def test_bytes_that_were_not_utf8_do_not_stop_a_page(tmp_path):
    write(tmp_path / "why.html", [row("caf\udce9")])
    assert "caf" in Page(tmp_path / "why.html").text


@pytest.mark.parametrize("name", ["why.html", "why.jsonl"])
def test_a_failure_leaves_the_former_file_and_nothing_else(tmp_path, name):
    (tmp_path / name).write_text("former")
    with (
        pytest.raises(RuntimeError, match="halfway"),
        explanation_output.explanation_writer("body", ANSWERED)(str(tmp_path / name)) as write_row,
    ):
        write_row(row())
        raise RuntimeError("halfway")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "former")]


def test_json_lines_have_a_word_and_its_weight_each(tmp_path):
    write(tmp_path / "why.jsonl", [row(), {**row(), "explanation": None}])
    first, second = map(json.loads, (tmp_path / "why.jsonl").read_text().splitlines())
    assert first == {
        "body": "you <b> fool day",
        "predicted_label": "rude",
        "explanation": [["you", 0.001], ["<b>", 0.5], ["fool", 2.0], ["day", -1.0]],
    }
    assert second["explanation"] is None


@pytest.mark.parametrize("output", ["out.csv", "out.parquet", "out", "out.txt"])
def test_other_outputs_are_refused(output):
    with pytest.raises(UserError, match=r"--explain writes \.html or \.jsonl, .*Received: --"):
        explanation_output.check_output(output)


@pytest.mark.parametrize("output", [None, "-", "why.html", "WHY.HTML", "x/why.jsonl"])
def test_outputs_that_can_hold_explanations_are_taken(output):
    explanation_output.check_output(output)
