"""The parts of the site's builder: links, formulas, and what a built page may not contain."""

import pytest
from builder import checks, docstrings, formulas, names, places, settings
from builder.places import ROOT, place_of, rewrite_links


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("README.md", "start.md"),
        ("docs/guides/bias.md", "guides/bias.md"),
        ("notebooks/README.md", "course/index.md"),
        ("notebooks/01_sequences.ipynb", "course/01_sequences.md"),
        ("notebooks/pictures/ner.png", "pictures/ner.png"),
        ("models/recurrent/cells.py", "reference/api/models/recurrent/cells.md"),
        ("models/recurrent", "reference/api/models/recurrent/index.md"),
        ("models", "reference/api/models/index.md"),
        ("tests/conftest.py", None),
        ("data/samples/spam.csv", None),
    ],
)
def test_a_file_of_the_repository_has_its_place_in_the_site(path, place):
    assert place_of(path) == place


def test_links_lead_to_the_places_of_the_site():
    text = "[a](../../README.md#install) [b](bias.md) `[c](x.md)` [d](https://e.org) [e](#here)\n"
    assert rewrite_links(text, "docs/guides/options.md") == (
        "[a](../start.md#install) [b](bias.md) `[c](x.md)` [d](https://e.org) [e](#here)\n"
    )
    text = '```md\n[a](x.md)\n```\n<img src="../../notebooks/pictures/ner.png" width="9">\n'
    assert rewrite_links(text, "docs/results/ner.md") == (
        '```md\n[a](x.md)\n```\n<img src="../pictures/ner.png" width="9">\n'
    )


@pytest.mark.parametrize("target", ["missing.md", "../../setup.cfg"])
def test_a_link_to_no_page_is_refused(target):
    with pytest.raises(places.DeadLink, match=r"^docs/guides/bias.md: .*: no such page$"):
        rewrite_links(f"[a]({target})", "docs/guides/bias.md")


def test_a_formula_becomes_a_drawing_with_its_text():
    drawn = formulas.render("h_t < 1")
    assert drawn.startswith('<span class="formula" role="img" aria-label="h_t &lt; 1" style="vert')
    assert drawn.endswith("</svg></span>") and "<script" not in drawn and "href" not in drawn
    assert "currentColor" in drawn and "black" not in drawn
    assert formulas.render("h_t", block=True).startswith('<div class="formula"')


def test_commands_that_the_converter_lacks_are_translated():
    assert "<svg" in formulas.render(r"\arg\max_i x_i")
    rows = formulas.render(r"\begin{aligned}[\,a\,] &= b' \\ c &= d\end{aligned}")
    assert "<svg" in rows and "aligned" in rows.partition("<svg")[0]


@pytest.mark.parametrize("latex", [r"\nothing x", r"\frac{a", r"x_", "a & b"])
def test_a_formula_that_cannot_be_shown_is_refused(latex):
    with pytest.raises(formulas.BrokenFormula):
        formulas.render(latex)


def test_formulas_of_a_page_are_replaced_and_broken_ones_reported(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        r'<p><span class="arithmatex">\(a &lt; b\)</span></p><div class="arithmatex">\[\no\]</div>'
    )
    assert formulas.render_formulas(page) == [r"page.html: \no: unknown \no"]
    assert 'aria-label="a &lt; b"' in page.read_text() and "arithmatex" in page.read_text()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="no.html">x</a>', "index.html: no.html leads nowhere"),
        ('<a href="other.html#no">x</a>', "index.html: other.html#no: there is no such anchor"),
        ('<a href="#no">x</a>', "index.html: #no: there is no such anchor"),
        ("<img src='no.png'>", "index.html: no.png leads nowhere"),
        ('<script src="https://a.org/b.js"></script>', "index.html: loads https://a.org/b.js"),
        ('<link rel="stylesheet" href="//a.org/b.css">', "index.html: loads //a.org/b.css"),
        ("so $h_t$ is", "index.html: a formula is not rendered: $h_t$"),
    ],
)
def test_what_a_page_may_not_contain_is_found(tmp_path, body, problem):
    (tmp_path / "index.html").write_text(f"<h1 id='top'>T</h1>{body}")
    (tmp_path / "other.html").write_text("<h1 id='there'>T</h1>")
    assert checks.find_problems(tmp_path) == [problem]


def test_a_page_without_problems_has_none(tmp_path):
    (tmp_path / "index.html").write_text(
        '<link rel="canonical" href="https://a.org/"><link rel="stylesheet" href="a.css?v=1">'
        '<a href="sub/#there">x</a> <a href="https://a.org">y</a> <a href="mailto:a@b.c">z</a>'
        "<pre>$h_t$ \\(x\\)</pre> costs $5 and $6"
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "index.html").write_text("<h1 id='there'>T</h1><a href='../a.css'>x</a>")
    (tmp_path / "a.css").write_text("p { background: url(data:image/png;base64,x) }")
    assert checks.find_problems(tmp_path) == []


def test_style_sheets_and_scripts_name_no_other_host(tmp_path):
    (tmp_path / "a.css").write_text("@import 'https://fonts.example.org/x.css';")
    (tmp_path / "b.js").write_text('load("https://unpkg.com/mermaid")')
    assert checks.find_problems(tmp_path) == [
        "a.css: names @import 'https://fonts.example.org/x.css",
        "a.css: names https://fonts.example.org",
        "b.js: names https://unpkg.com",
    ]


def test_examples_of_docstrings_become_code():
    text = "One.\n\n>>> f(1)\n[a](b c)\n>>> g()\n\nTwo >>> three.\n\n>>> h()"
    assert docstrings.fence_examples(text) == (
        "One.\n\n```pycon\n>>> f(1)\n[a](b c)\n>>> g()\n```\n\nTwo >>> three.\n\n"
        "```pycon\n>>> h()\n```"
    )


def test_names_of_code_become_links_and_names_of_nothing_are_reported(tmp_path):
    build = places.Build(tmp_path)
    api = build.site / "reference" / "api" / "models" / "recurrent"
    api.mkdir(parents=True)
    (api / "cells.html").write_text('<h2 id="models.recurrent.cells.Cell">Cell</h2>')
    page = build.site / "index.html"
    page.write_text(
        "<code>models.recurrent.cells.Cell</code> <code>models.recurrent.cells.CELLS</code> "
        "<code>models.recurrent.cells.Nothing</code> <code>models.nothing</code> <code>a.b</code>"
    )
    assert names.Names(build).link(page) == [
        "index.html: there is no models.recurrent.cells.Nothing",
        "index.html: there is no models.nothing",
    ]
    place = "reference/api/models/recurrent/cells.html"
    assert page.read_text().split(" <code>models.recurrent.cells.N")[0] == (
        f'<a href="{place}#models.recurrent.cells.Cell">'
        "<code>models.recurrent.cells.Cell</code></a>"
        f' <a href="{place}"><code>models.recurrent.cells.CELLS</code></a>'
    )


def places_in(nav):
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else places_in(value)


def test_every_page_stands_in_the_navigation_once():
    docs = [file.relative_to(ROOT / "docs").as_posix() for file in (ROOT / "docs").rglob("*.md")]
    others = ["start.md", "changelog.md", "contributing.md", "samples.md", "course/index.md"]
    nav = settings.settings([], [], [])["nav"]
    assert sorted(places_in(nav)) == sorted([*docs, *others])
