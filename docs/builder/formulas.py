"""Formulas as drawings, which look alike in every browser and need neither a script nor a font."""

import html
import re
from pathlib import Path

import ziamath
from latex2mathml.converter import convert

# What pymdownx.arithmatex makes of $...$ and $$...$$.
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
# What the converter does not know stays as it is: a command, or the sign between two columns.
_UNKNOWN = re.compile(r">\s*(\\[a-zA-Z]+|&)\s*<")
# Commands that the converter lacks, in commands that it has.
_OTHERS = {
    r"\arg": r"\operatorname{arg}",
    r"\begin{aligned}": r"\begin{split}{}",
    r"\end{aligned}": r"\end{split}",
}
# Of a letter, in pixels: the size of the text.
_SIZE = 16
# Glyphs are drawn where they stand; as symbols with names, two formulas of a page would share them.
ziamath.config.svg2 = False


class BrokenFormula(Exception):
    """A formula that cannot be shown."""


def render(latex: str, block: bool = False) -> str:
    r"""Returns a formula as a drawing.

    Args:
        latex: such as `h_t = \tanh(W x_t)`.
        block: whether it stands in a line of its own.

    Raises:
        BrokenFormula: it has a mistake, or a command that is not known.
    """
    bare = re.sub(r"\\.", "", latex)
    if bare.count("{") != bare.count("}"):
        raise BrokenFormula(f"{latex}: braces do not match")
    known = latex
    for command, other in _OTHERS.items():
        known = re.sub(rf"{re.escape(command)}(?![a-zA-Z])", lambda _, other=other: other, known)
    try:
        if unknown := _UNKNOWN.search(convert(known)):
            raise BrokenFormula(f"{latex}: unknown {unknown[1]}")
        drawing = ziamath.Latex(known, size=_SIZE, inline=not block, color="currentColor")
        drawn, below = drawing.svg(), drawing.getyofst()
    except BrokenFormula:
        raise
    except Exception as error:
        raise BrokenFormula(f"{latex}: {type(error).__name__} {error}") from None
    label = html.escape(" ".join(latex.split()))
    if block:
        return f'<div class="formula" role="img" aria-label="{label}">{drawn}</div>'
    style = f"vertical-align: {below:.1f}px"
    return f'<span class="formula" role="img" aria-label="{label}" style="{style}">{drawn}</span>'


def render_formulas(page: Path) -> list[str]:
    """Draws the formulas of a built page; returns a line for each that cannot be shown."""
    problems = []

    def replace(match: re.Match) -> str:
        try:
            return render(html.unescape(match[3]), block=match[2] == "[")
        except BrokenFormula as error:
            problems.append(f"{page.name}: {error}")
            return match[0]

    text, count = _FORMULA.subn(replace, page.read_text(encoding="utf-8"))
    if count:
        page.write_text(text, encoding="utf-8")
    return problems
