"""The executed notebooks as pages: their Markdown, code, outputs and pictures."""

import re

import nbformat
from nbconvert import MarkdownExporter

from builder.places import ROOT, Build, place_of, rewrite_links

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def write_notebooks(build: Build) -> list[str]:
    """Writes a page for each notebook and returns their places, in order."""
    files = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [_write_notebook(build, file.relative_to(ROOT).as_posix()) for file in files]


def _write_notebook(build: Build, path: str) -> str:
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
        build.write_file(f"course/{file}", content)
    build.write_page(place, text)
    return place
