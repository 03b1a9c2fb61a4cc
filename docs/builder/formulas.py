"""Formulas as MathML, which browsers show without a script."""

import html
import re
from pathlib import Path

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


class BrokenFormula(Exception):
    """A formula that cannot be shown."""


def render(latex: str, block: bool = False) -> str:
    r"""Returns a formula as MathML.

    Args:
        latex: such as `h_t = \tanh(W x_t)`.
        block: whether it stands in a line of its own.

    Raises:
        BrokenFormula: it has a mistake, or a command that MathML has no element for.
    """
    for command, other in _OTHERS.items():
        latex = re.sub(rf"{re.escape(command)}(?![a-zA-Z])", lambda _, other=other: other, latex)
    bare = re.sub(r"\\.", "", latex)
    if bare.count("{") != bare.count("}"):
        raise BrokenFormula(f"{latex}: braces do not match")
    try:
        mathml = convert(latex, display="block" if block else "inline")
    except Exception as error:
        raise BrokenFormula(f"{latex}: {type(error).__name__} {error}") from None
    if unknown := _UNKNOWN.search(mathml):
        raise BrokenFormula(f"{latex}: unknown {unknown[1]}")
    return mathml


def render_formulas(page: Path) -> list[str]:
    """Replaces the formulas of a built page by MathML; returns a line for each that cannot be
    shown."""
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
