"""The course as a reader meets it: links, answers, diagrams, and figures that outputs bear out."""

import importlib.util
import re
from pathlib import Path

import matplotlib
import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
PLACES = ["README.md", *(path.name for path in NOTEBOOKS), "README.md"]


def read(path):
    return nbformat.read(path, as_version=4)


def markdown_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def printed_by(notebook):
    """What the code and its outputs say."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    streams = [output.text for output in outputs if output.output_type == "stream"]
    return "\n".join([*(cell.source for cell in code), *streams])


def figures_of(text):
    """Numbers with a decimal point, and percentages, outside of formulas, code and answers."""
    text = re.sub(r"<details.*?</details>|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", "", text, flags=re.DOTALL)
    return re.findall(r"(?<![\d.])(\d+\.\d+)(?![\d.])", text), re.findall(r"(\d+) %", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_leads_to_its_neighbours_at_its_top_and_at_its_end(path):
    before, _, after = PLACES[(at := PLACES.index(path.name)) - 1 : at + 2]
    texts = markdown_of(read(path))
    top, end = texts[0], texts[-1]
    assert "**Time:**" in top and "**You should know:**" in top
    for text in (top, end):
        links = re.findall(r"\]\(([^)]*)\)", text)
        assert before in links and after in links


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_has_an_answer_that_is_hidden(path):
    [exercises] = [text for text in markdown_of(read(path)) if "## Try it yourself" in text]
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\.\*\*", exercises, re.MULTILINE)]
    assert numbers == [*range(1, len(numbers) + 1)] and len(numbers) >= 3
    for part in re.split(r"^\*\*\d+\.\*\*", exercises, flags=re.MULTILINE)[1:]:
        assert part.count('<details markdown="1"><summary>Answer</summary>\n\n') == 1
        assert part.count("\n\n</details>") == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_to_other_files_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#:]+)\)", "\n".join(markdown_of(read(path))))
    assert not [link for link in links if not (FOLDER / link).exists()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_figure_in_the_text_is_printed_by_the_notebook(path):
    notebook = read(path)
    printed = printed_by(notebook)
    decimals, percents = figures_of("\n\n".join(markdown_of(notebook)))
    known = set(re.findall(r"\d+\.\d+", printed))
    # 0.612 is also quoted as 0.61.
    known |= {f"{float(number):.{digits}f}" for number in known for digits in (1, 2)}
    assert not [number for number in decimals if number not in known]
    rounded = {f"{float(number):.0f}" for number in re.findall(r"(\d+(?:\.\d+)?) ?%", printed)}
    assert not [number for number in percents if number not in rounded]


def test_figures_are_looked_for_in_the_prose_alone():
    text = "It is 0.25, 12 % of $0.5$, `0.7` and\n$$0.1$$ in notebook 3."
    assert figures_of(text + "<details>0.9</details>") == (["0.25"], ["12"])


@pytest.fixture(scope="module")
def diagrams():
    spec = importlib.util.spec_from_file_location("diagrams", FOLDER / "diagrams.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def panel():
    figure = matplotlib.figure.Figure()
    return figure.subplots()


def parts_of(panel):
    """How many boxes and arrows there are, and the labels."""
    arrows = [text for text in panel.texts if text.get_text() == ""]
    labels = [text.get_text() for text in panel.texts if text.get_text()]
    return len(panel.patches), len(arrows), labels


def test_an_unrolled_network_has_an_arrow_wherever_both_ends_have_a_box(diagrams, panel):
    rows = [
        diagrams.Row(["a", "b", "c"], "input"),
        diagrams.Row(["h1", "h2", "h3"], "state", links="right"),
        diagrams.Row([None, None, "y"], "output"),
    ]
    diagrams.draw_rows(panel, rows)
    # Three go up from the inputs, two to the right, one up to the answer.
    assert parts_of(panel) == (7, 3 + 2 + 1, ["a", "b", "c", "h1", "h2", "h3", "y"])


def test_two_directions_lead_past_each_other(diagrams, panel):
    rows = [
        diagrams.Row(["a", "b"], "input"),
        diagrams.Row(["f1", "f2"], "state", links="right", shift=-0.2),
        diagrams.Row(["b1", "b2"], "state", links="left", below=(2,), shift=0.2),
        diagrams.Row(["y1", "y2"], "output", below=(1, 2)),
    ]
    diagrams.draw_rows(panel, rows)
    boxes, arrows, _ = parts_of(panel)
    # Each column has two into the states and two out of them, and each direction one sideways.
    assert (boxes, arrows) == (8, 2 * 4 + 2)
    ends = [(text.xy, text.xyann) for text in panel.texts if text.get_text() == ""]
    upright = {round(end[0], 2) for end, start in ends if end[1] > start[1]}
    assert upright == {-0.2, 0.2, round(diagrams.COLUMN - 0.2, 2), round(diagrams.COLUMN + 0.2, 2)}


def test_attention_draws_a_line_to_each_source_word_as_wide_as_its_weight(diagrams, panel):
    words, weights = (["a", "b"], ["x", "y", "z"]), (0.25, 0.75)
    diagrams.draw_encoder_decoder(panel, *words, attention=weights)
    widths = [line.get_linewidth() for line in panel.lines if line.get_color() == "tab:red"]
    assert widths == [0.5 + 7 * 0.25, 0.5 + 7 * 0.75]
    _, _, labels = parts_of(panel)
    # The words that are written are read again, but for the last one.
    assert [labels.count(word) for word in ("<start>", "x", "y", "z")] == [1, 2, 2, 1]


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_a_cell_has_its_gates(cell, diagrams, panel):
    getattr(diagrams, f"draw_{cell}")(panel)
    _, _, labels = parts_of(panel)
    assert labels.count("σ") == {"simple_rnn": 0, "lstm": 3, "gru": 2}[cell]
    assert labels.count("tanh") == {"simple_rnn": 1, "lstm": 2, "gru": 1}[cell]
