"""The parts of a page: each knows how it looks as HTML and as plain text.

Their texts come from data sets and users. As HTML they are escaped; for a terminal they go through
`data.messages.printable`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from data.formats.html_page import escape, inline_picture, mark_entities

# Characters of a text that a page shows: a page of a corpus of books stays a page.
LONGEST_TEXT = 600
# And of a cell in a table on a terminal.
_LONGEST_CELL = 60
_BAR = 24
# A cell that stays in one line.
_SHORT_CELL = 24

Cell = str | int | float | None


class Part(Protocol):
    """A piece of a section."""

    def to_html(self) -> str:
        """Returns the part as HTML."""

    def to_text(self) -> str:
        """Returns the part as lines of plain text; empty for what only a page can show."""


@dataclass(frozen=True)
class Paragraph:
    """A sentence or two.

    Attributes:
        text: the sentences.
        kind: `plain`, or `warning` for what somebody should look at.
    """

    text: str
    kind: str = "plain"

    def to_html(self) -> str:
        return f"<p class={self.kind}>{escape(self.text, LONGEST_TEXT)}</p>"

    def to_text(self) -> str:
        return f"! {self.text}" if self.kind == "warning" else self.text


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head.

    Attributes:
        head: the titles of the columns; empty ones for rows of a name and a value.
        rows: the cells; numbers stand at the right.
        caption: what the rows are, or the empty text.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""

    def to_html(self) -> str:
        lines = [f"<caption>{escape(self.caption)}</caption>"] if self.caption else []
        if any(self.head):
            lines.append(
                "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in self.head) + "</tr>"
            )
        for row in self.rows:
            cells = []
            for cell in row:
                text = format_cell(cell)
                kind = " class=short" if len(text) <= _SHORT_CELL else ""
                kind = " class=number" if isinstance(cell, int | float) else kind
                cells.append(f"<td{kind}>{escape(text, LONGEST_TEXT)}</td>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return "<table>\n" + "\n".join(lines) + "\n</table>"

    def to_text(self) -> str:
        rows = [[_short(cell) for cell in row] for row in self.rows]
        rows = [list(self.head), *rows] if any(self.head) else rows
        widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
        right = [
            any(isinstance(row[place], int | float) for row in self.rows)
            for place in range(len(self.head))
        ]
        lines = [self.caption] if self.caption else []
        for row in rows:
            cells = [
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(row, widths, right, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


@dataclass(frozen=True)
class Bars:
    """Numbers with a bar each, as long as the number is large.

    Attributes:
        title: what is counted.
        rows: label and number.
    """

    title: str
    rows: Sequence[tuple[str, float]]

    def to_html(self) -> str:
        total, highest = self._total(), self._highest()
        lines = [
            f"<tr><td>{escape(label, LONGEST_TEXT)}</td><td class=number>{format_cell(value)}</td>"
            f"<td class=number>{value / total:.1%}</td><td class=bar>"
            f'<div style="width: {100 * value / highest:.1f}%"></div></td></tr>'
            for label, value in self.rows
        ]
        caption = f"<caption>{escape(self.title)}</caption>"
        return f"<table class=bars>\n{caption}\n" + "\n".join(lines) + "\n</table>"

    def to_text(self) -> str:
        return self.as_table().to_text()

    def as_table(self) -> Table:
        """Returns the numbers, their shares and bars of blocks."""
        total, highest = self._total(), self._highest()
        rows = [
            (label, value, f"{value / total:6.1%}", "█" * round(_BAR * value / highest))
            for label, value in self.rows
        ]
        return Table((self.title, "number", " share", ""), rows)

    def _total(self) -> float:
        return sum(value for _, value in self.rows) or 1

    def _highest(self) -> float:
        return max((value for _, value in self.rows), default=0) or 1


@dataclass(frozen=True)
class Code:
    """Lines that keep their layout: a command, a table of a report.

    Attributes:
        text: the lines.
    """

    text: str

    def to_html(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"

    def to_text(self) -> str:
        return self.text


@dataclass(frozen=True)
class Picture:
    """A picture, which the page holds itself.

    Attributes:
        content: the bytes of a PNG file.
        title: what it shows.
    """

    content: bytes
    title: str

    def to_html(self) -> str:
        figure = inline_picture(self.content, self.title)
        return f"<figure>{figure}<figcaption>{escape(self.title)}</figcaption></figure>"

    def to_text(self) -> str:
        return ""


@dataclass(frozen=True)
class MarkedText:
    """A text with its entities marked.

    Attributes:
        label: what stands before it, such as `true`.
        text: the text.
        entities: start, end, type and tooltip of each, ascending and without overlap.
    """

    label: str
    text: str
    entities: Sequence[tuple[int, int, str, str]]

    def to_html(self) -> str:
        cut = self.text[:LONGEST_TEXT]
        inside = [each for each in self.entities if each[1] <= len(cut)]
        end = " [...]" if len(cut) < len(self.text) else ""
        label = f"<b>{escape(self.label)}</b> " if self.label else ""
        return f"<p class=text>{label}{mark_entities(cut, inside)}{end}</p>"

    def to_text(self) -> str:
        return f"{self.label} {self.text}".strip()


@dataclass(frozen=True)
class Markup:
    """HTML that is escaped already, such as an explanation in colours.

    Attributes:
        html: the markup.
    """

    html: str

    def to_html(self) -> str:
        return self.html

    def to_text(self) -> str:
        return ""


@dataclass(frozen=True)
class Section:
    """A part of a page under a title.

    Attributes:
        name: of its facts, for programs.
        title: for people.
        parts: what it shows.
        facts: the same as JSON values.
        style: rules of CSS that its parts need besides those of every page.
    """

    name: str
    title: str
    parts: Sequence[Part]
    facts: dict = field(default_factory=dict)
    style: str = ""


def format_cell(cell: Cell) -> str:
    """Returns a cell as text: large numbers with commas, shares with three digits."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}" if cell else "0"
    return str(cell)


def _short(cell: Cell) -> str:
    text = " ".join(format_cell(cell).split(" ")).replace("\n", " ").replace("\t", " ")
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 3]}..."
