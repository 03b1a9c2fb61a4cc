"""A page of sections: as one file of HTML, and on the terminal."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.pages.parts import Bars, Code, Paragraph, Section, Table, format_cell
from data.files.writing import whole_file
from data.formats.html_page import ENTITY_STYLE, begin_page, end_page, escape
from data.messages import printable, say

_STYLE = f"""{ENTITY_STYLE}table {{ border-collapse: collapse; font-size: .875rem; margin: 1rem 0 }}
caption {{ font-weight: bold; text-align: left }}
th, td {{ border-bottom: 1px solid #ddd; padding: .2rem .6rem .2rem 0; text-align: left; \
vertical-align: top; white-space: pre-wrap }}
th {{ overflow-wrap: normal }}
.number, .short {{ overflow-wrap: normal; white-space: nowrap }}
.number {{ text-align: right }}
.bar {{ min-width: 16rem; width: 50% }}
.bar div {{ background: #4a7ebb; height: .9rem; min-width: 1px }}
.warning {{ background: #fff3d6; border-left: .25rem solid #d08700; padding: .2rem .6rem }}
.text {{ border-bottom: 1px solid #ddd; margin: 0; padding: .3rem 0; white-space: pre-wrap }}
pre {{ background: #f4f4f4; overflow-x: auto; padding: .6rem }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top }}
figcaption {{ color: #444; font-size: .875rem }}
img {{ max-width: min(100%, 36rem) }}
nav a {{ margin-right: 1rem }}
h2 {{ border-top: 1px solid #bbb; margin-top: 2rem; padding-top: 1rem }}
"""


@dataclass(frozen=True)
class Page:
    """What is said of a data set or a run.

    Attributes:
        title: of the page.
        lead: a sentence below it.
        sections: in order.
        script: what the page does by itself; empty for most.
        plays: whether it has a player of a file that lies beside it.
    """

    title: str
    lead: str
    sections: Sequence[Section]
    script: str = ""
    plays: bool = False

    def to_html(self) -> str:
        """Returns the page as HTML that needs nothing from outside."""
        links = [f'<a href="#{each.name}">{escape(each.title)}</a>' for each in self.sections]
        style = _STYLE + "".join({each.style: None for each in self.sections})
        parts = [
            begin_page(self.title, style, self.script, self.plays),
            f"<h1>{escape(self.title)}</h1>\n<p>{escape(self.lead)}</p>\n",
            f"<nav>{' '.join(links)}</nav>\n",
        ]
        for section in self.sections:
            body = "\n".join(part.to_html() for part in section.parts)
            parts.append(f'<h2 id="{section.name}">{escape(section.title)}</h2>\n{body}\n')
        return "".join([*parts, end_page(self.script)])

    def write(self, path: Path) -> None:
        """Writes the page as a file of HTML, whole or not at all.

        Raises:
            UserError: it cannot be written.
        """
        # Bytes that were not UTF-8 cannot stand in a page.
        content = self.to_html().encode("utf-8", "replace")
        with whole_file(path) as partial:
            partial.write_bytes(content)

    def show(self) -> None:
        """Shows the page on the terminal, in plain lines where standard output is none."""
        if sys.stdout.isatty():
            self._show_rich()
            return
        say("\n".join(filter(None, [self.title, self.lead])))
        for section in self.sections:
            lines = [text for part in section.parts if (text := part.to_text())]
            say("\n".join([f"\n{section.title}", *lines]))

    def _show_rich(self) -> None:
        # It takes a tenth of a second, and plain output does without it.
        from rich.console import Console
        from rich.text import Text

        console = Console()
        console.print(Text(printable(self.title), "bold"))
        if self.lead:
            console.print(Text(printable(self.lead)))
        for section in self.sections:
            console.print()
            console.print(Text(printable(section.title), "bold cyan"))
            for part in section.parts:
                table = part.as_table() if isinstance(part, Bars) else part
                if isinstance(table, Table):
                    console.print(_as_rich(table))
                elif text := part.to_text():
                    warns = isinstance(part, Paragraph) and part.kind == "warning"
                    style = "yellow" if warns else ""
                    # A command stays one line, so that it can be copied.
                    console.print(Text(printable(text), style), soft_wrap=isinstance(part, Code))

    def to_json(self) -> dict:
        """Returns the facts of all sections, by name."""
        return {section.name: section.facts for section in self.sections}


def _as_rich(table: Table) -> object:
    """Returns a table as rich draws it."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(
        title=Text(printable(table.caption)) if table.caption else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_header=any(table.head),
    )
    for place, name in enumerate(table.head):
        number = any(isinstance(row[place], int | float) for row in table.rows)
        drawn.add_column(Text(printable(name)), justify="right" if number else "left")
    for row in table.rows:
        texts = [printable(format_cell(cell)) for cell in row]
        drawn.add_row(*(Text(text if len(text) < 200 else f"{text[:200]}...") for text in texts))
    return drawn
