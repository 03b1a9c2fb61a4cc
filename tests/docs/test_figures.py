"""The figures of the README are those of the pages that it links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OVERVIEW = (ROOT / "docs" / "results" / "index.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \[[^]]+\]\(([\w/]+\.md)[^)]*\)[^|]*\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
FIGURE = re.compile(r"\d+\.\d+")


def rows_of(text, folder):
    """The linked page and the figures of each row of results; those of others, too."""
    for page, ours, others in ROW.findall(text):
        if "results" in str((folder / page).resolve()) and FIGURE.search(ours):
            yield folder / page, FIGURE.findall(ours), FIGURE.findall(others)


ROWS = [*rows_of(README, ROOT), *rows_of(OVERVIEW, ROOT / "docs" / "results")]


def test_every_result_of_the_readme_is_looked_at():
    assert len(list(rows_of(README, ROOT))) == 10
    assert len(ROWS) == 23


@pytest.mark.parametrize(
    ("page", "ours"), [row[:2] for row in ROWS], ids=[f"{row[0].stem}-{row[1][0]}" for row in ROWS]
)
def test_a_figure_stands_on_the_page_that_is_linked(page, ours):
    known = FIGURE.findall(page.read_text(encoding="utf-8"))
    assert [figure for figure in ours if figure not in known] == []


def test_figures_of_others_are_those_of_the_overview():
    known = FIGURE.findall(OVERVIEW)
    others = [figure for _, _, figures in rows_of(README, ROOT) for figure in figures]
    assert len(others) >= 8 and [figure for figure in others if figure not in known] == []
