"""The executed notebooks as pages: their Markdown, code, outputs and pictures."""

import re

import nbformat
from nbconvert import MarkdownExporter

from builder.places import PAGES, ROOT, place_of, rewrite_links, write_page

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def write_notebooks() -> list[str]:
    """Writes a page for each notebook and returns their places, in order."""
    files = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [_write_notebook(file.relative_to(ROOT).as_posix()) for file in files]


def _write_notebook(path: str) -> str:
    notebook = nbformat.read(ROOT / path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = rewrite_links(cell.source, path)
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = _ANSI.sub("", output.text)
    place = place_of(path)
    assert place is not None
    name = place.removesuffix(".md").rpartition("/")[2]
    text, resources = MarkdownExporter().from_notebook_node(
        notebook, {"output_files_dir": f"{name}_files"}
    )
    for file, content in resources["outputs"].items():
        target = PAGES / "course" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    write_page(place, text)
    return place
