"""Pages hold what they show, and show it as text."""

import html.parser
import sys

import pytest

from apps.pages.page import Page
from apps.pages.parts import (
    LONGEST_TEXT,
    Bars,
    Code,
    MarkedText,
    Markup,
    Paragraph,
    Picture,
    Section,
    Table,
    format_cell,
)
from data.errors import UserError

EVIL = '</td></table><script>alert("&")</script>\x1b[2J'


class Reader(html.parser.HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def page(text="harmless"):
    parts = [
        Paragraph(text, "warning"),
        Table((text, "number"), [(text, 1234), (text, None)], text),
        Bars(text, [(text, 3), ("other", 1)]),
        Code(text),
        Picture(b"\x89PNG", text),
        MarkedText(text, f"in {text}", [(0, 2, text, text)]),
        Markup("<b>ready</b>"),
    ]
    return Page(text, text, [Section("all", text, parts, {"rows": 2})])


def test_nothing_in_a_text_becomes_part_of_the_page():
    plain, evil = Reader(page().to_html()), Reader(page(EVIL).to_html())
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in plain.tags]
    # Title, heading, lead, link and section; in the parts 1, 4, 2, 1, 1 and 3.
    assert evil.text.count(EVIL) == 17


def test_a_page_needs_nothing_from_outside():
    content = page().to_html()
    tags = Reader(content).tags
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags}
    sources = [attributes["src"] for _, attributes in tags if "src" in attributes]
    assert sources == ["data:image/png;base64,iVBORw=="]
    links = [attributes["href"] for _, attributes in tags if "href" in attributes]
    assert links == ["#all"]
    assert "url(" not in content and "default-src 'none'" in content


def test_long_texts_are_cut():
    text = "x" * (LONGEST_TEXT + 2000)
    for part in (Paragraph(text), Table(("t",), [(text,)]), MarkedText("", text, [])):
        assert len(part.to_html()) < LONGEST_TEXT + 200
    assert "[... 2,000 more characters]" in Paragraph(text).to_html()


def test_an_entity_beyond_the_cut_is_left_out():
    part = MarkedText(
        "true", "Ana " + "x" * LONGEST_TEXT, [(0, 3, "PER", ""), (604, 605, "LOC", "")]
    )
    assert part.to_html().count("<mark") == 1


def test_bars_are_as_long_as_their_numbers():
    bars = Bars("class", [("ham", 30), ("spam", 10)])
    lines = bars.to_text().splitlines()
    assert [line.count("█") for line in lines] == [0, 24, 8]
    assert "75.0%" in lines[1] and "25.0%" in lines[2]
    assert 'style="width: 33.3%"' in bars.to_html()


def test_bars_without_rows_are_no_division_by_zero():
    assert Bars("class", []).to_text() and Bars("class", [("a", 0)]).to_html()


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, "-"),
        (True, "yes"),
        (12345, "12,345"),
        (0.12345, "0.123"),
        (0.0, "0"),
        (12345.6, "12,346"),
        ("x", "x"),
    ],
)
def test_cells_are_shown_as_a_reader_expects(cell, shown):
    assert format_cell(cell) == shown


def test_columns_of_plain_text_stand_below_each_other():
    table = Table(("name", "n"), [("a", 1), ("bcdefg", 1000)])
    assert table.to_text().splitlines() == ["name        n", "a           1", "bcdefg  1,000"]
    assert Table(("", ""), [("rows", 2)]).to_text() == "rows  2"


def test_the_terminal_gets_no_escape_sequences(capsys):
    page(EVIL).show()
    out = capsys.readouterr().out
    assert "\x1b" not in out and r"\x1b[2J" in out


@pytest.mark.parametrize("watched", [True, False])
def test_what_looks_like_markup_of_a_terminal_is_shown(capsys, monkeypatch, watched):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: watched)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    page("[bold]x[/bold]\x1b[2J").show()
    out = capsys.readouterr().out
    # Title, lead, section; a paragraph; a table (4); title and label of the bars; code; label
    # and text of what is marked.
    assert out.count(r"[bold]x[/bold]\x1b[2J") == 13
    assert "\x1b[2J" not in out


def test_a_command_stays_one_line(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    Page("t", "", [Section("s", "s", [Code("word " * 30)])]).show()
    assert "word " * 29 in capsys.readouterr().out


def test_the_facts_are_those_of_the_sections():
    assert page().to_json() == {"all": {"rows": 2}}


def test_bytes_that_were_not_utf8_do_not_stop_a_page(tmp_path):
    page("caf\udce9").write(tmp_path / "page.html")
    assert "caf?" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_folder_is_no_page(tmp_path):
    with pytest.raises(UserError, match="cannot write"):
        page().write(tmp_path)
