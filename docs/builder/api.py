"""The reference of the API: a page per module, from docstrings that are read, not imported."""

import ast
import re
from pathlib import Path

from builder.places import ROOT, Build, place_of, relative_address

PACKAGES = ("apps", "models", "data")
# The types of arrays in docstrings, which Markdown takes for elements of HTML.
_ARRAY_TYPE = re.compile(r"<((?:bool|string|decimal|letter|float|u?int)\d*)>")


def write_api_pages(build: Build) -> list:
    """Writes the pages and returns their part of the navigation."""
    return [{package: _write_package(build, ROOT / package)} for package in PACKAGES]


def _write_package(build: Build, folder: Path) -> list:
    place = _place(folder)
    modules = [file for file in sorted(folder.glob("*.py")) if not file.name.startswith("__")]
    packages = [file.parent for file in sorted(folder.glob("*/__init__.py"))]
    nav: list = [place]
    rows = []
    for each in (*packages, *modules):
        name = each.stem
        title = f"{name}/" if each.is_dir() else name
        source = each / "__init__.py" if each.is_dir() else each
        rows.append(
            f"| [`{title}`]({relative_address(_place(each), place)}) | {_summary(source)} |"
        )
        nav.append(
            {name: _write_package(build, each) if each.is_dir() else _write_module(build, each)}
        )
    exports = _exports(folder / "__init__.py")
    text = [f"# {_dotted(folder)}"]
    if not exports:  # whose docstring follows as a whole
        text.append(_summary(folder / "__init__.py"))
    if rows:
        text.append("| module | what |\n|---|---|\n" + "\n".join(rows))
    if exports:
        text.append(f"::: {_dotted(folder)}\n    options:\n      show_root_heading: false")
    build.write_page(place, "\n\n".join(text) + "\n")
    return nav


def _write_module(build: Build, file: Path) -> str:
    place = _place(file)
    name = _dotted(file)
    build.write_page(place, f"# {file.stem}\n\n`{name}`\n\n::: {name}\n")
    return place


def _place(path: Path) -> str:
    place = place_of(path.relative_to(ROOT).as_posix())
    assert place is not None
    return place


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _summary(file: Path) -> str:
    """Returns the first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split())
    return first.replace("|", "\\|")


def _exports(file: Path) -> bool:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body)


def show_array_types(page: Path) -> None:
    """Shows the types of arrays on a built page: `<float32>[batch, units]`."""
    text = page.read_text(encoding="utf-8")
    shown = _ARRAY_TYPE.sub(r"&lt;\1&gt;", text)
    if shown != text:
        page.write_text(shown, encoding="utf-8")
