"""Names of the suite's code on built pages, such as `models.recurrent.factory`, as links."""

import ast
import re
from pathlib import Path

from builder.places import ROOT, Build, relative_address

_API = "reference/api/"
_NAME = re.compile(r"<code>((?:apps|models|data)(?:\.\w+)+)</code>(?!</a>)")


class Names:
    """The modules of the reference, and what has an anchor on their pages.

    Args:
        build: whose site has been built.
    """

    def __init__(self, build: Build):
        self.site = build.site
        self.places: dict[str, str] = {}
        self.anchors: dict[str, set[str]] = {}
        for page in build.html_files(_API):
            place = page.relative_to(self.site).as_posix()
            parts = place.removeprefix(_API).removesuffix(".html").removesuffix("/index")
            name = parts.replace("/", ".")
            self.places[name] = place
            self.anchors[name] = set(
                re.findall(r'\bid="([\w.]+)"', page.read_text(encoding="utf-8"))
            )

    def find(self, name: str) -> str | None:
        """Returns the address in the site of a module or of what it defines, or None if there is no
        such thing. What has no docstring has no place of its own on the page of its module."""
        module = name
        while module not in self.places:
            module, _, _ = module.rpartition(".")
            if not module:
                return None
        inner = name.removeprefix(module).removeprefix(".")
        if inner and not _defines(module, inner.split(".")):
            return None
        return self.places[module] + (f"#{name}" if name in self.anchors[module] else "")

    def link(self, page: Path) -> list[str]:
        """Lets the names on a page lead to what they name; returns a line for each that names
        nothing."""
        here = page.relative_to(self.site).as_posix()
        unknown = []

        def replace(match: re.Match) -> str:
            address = self.find(match[1])
            if address is None:
                unknown.append(f"{here}: there is no {match[1]}")
                return match[0]
            file, sharp, anchor = address.partition("#")
            return f'<a href="{relative_address(file, here)}{sharp}{anchor}">{match[0]}</a>'

        text = page.read_text(encoding="utf-8")
        linked = _NAME.sub(replace, text)
        if linked != text:
            page.write_text(linked, encoding="utf-8")
        return unknown


def _defines(module: str, names: list[str]) -> bool:
    """Whether the source of a module defines something, such as `["Cell", "build"]`."""
    file = ROOT / f"{module.replace('.', '/')}.py"
    file = file if file.exists() else file.with_suffix("") / "__init__.py"
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for name in names:
        found = next((node for node in body if name in _names_of(node)), None)
        if found is None:
            return False
        body = getattr(found, "body", [])
    return True


def _names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.If):  # what only type checkers import
        return set().union(*map(_names_of, node.body))
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return {target.id for target in targets if isinstance(target, ast.Name)}
