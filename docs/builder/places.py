"""Where the site takes its pages from, and where each stands in the site."""

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Files of the repository outside of docs/ and their places in the site.
_OUTSIDE = {
    "README.md": "start.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "CITATION.cff": "CITATION.cff",
    "LICENSE": "LICENSE",
    "notebooks/README.md": "course/index.md",
    "data/samples/README.md": "samples.md",
}
# What a link of Markdown or HTML leads to. Code is left alone by `rewrite_links`.
_LINK = re.compile(r"""(\]\(|(?:src|href)=")([^)"\s]+)([)"])""")
_CODE = re.compile(r"(^(`{3,}).*?^\2[ ]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Build:
    """The folder of a build.

    Attributes:
        folder: holds everything else.
    """

    folder: Path

    @property
    def pages(self) -> Path:
        """The folder with the Markdown of the site."""
        return self.folder / "pages"

    @property
    def site(self) -> Path:
        """The folder with the built site."""
        return self.folder / "site"

    @property
    def settings(self) -> Path:
        """The file with the settings of the generator."""
        return self.folder / "mkdocs.yml"

    def write_page(self, place: str, text: str) -> None:
        """Writes a page of the site's Markdown."""
        self.write_file(place, text.encode("utf-8"))

    def write_file(self, place: str, content: bytes) -> None:
        """Writes a file that belongs to the pages."""
        file = self.pages / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def html_files(self, folder: str = "") -> list[Path]:
        """Returns the built pages, or those of a folder."""
        return sorted((self.site / folder).rglob("*.html"))


class DeadLink(Exception):
    """A link of a page that leads to nothing in the site."""


def place_of(path: str) -> str | None:
    """Returns the place in the site of a file or folder of the repository, or None if it has none.

    Args:
        path: relative to the repository, with `/`.
    """
    name = path.rstrip("/")
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    if re.fullmatch(r"notebooks/\d\d_\w+\.ipynb", name):
        return f"course/{Path(name).stem}.md"
    if name.startswith("notebooks/pictures/"):
        return name.removeprefix("notebooks/")
    if re.match(r"(apps|models|data)(/|$)", name):
        if name.endswith(".py"):
            return f"reference/api/{name.removesuffix('.py')}.md"
        if (ROOT / name / "__init__.py").exists():
            return f"reference/api/{name}/index.md"
    return None


def rewrite_links(text: str, path: str) -> str:
    """Returns a page whose links lead to the places of the site.

    Args:
        text: of the page, Markdown.
        path: of the page in the repository.

    Raises:
        DeadLink: a link leads to a file that is not there or not in the site.
    """
    here = posixpath.dirname(place_of(path) or "")

    def rewrite(match: re.Match) -> str:
        before, target, after = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        file, sharp, anchor = target.partition("#")
        source = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
        place = place_of(source)
        if place is None or not (ROOT / source).exists():
            raise DeadLink(f"{path}: {target}: no such page")
        return f"{before}{posixpath.relpath(place, here or '.')}{sharp}{anchor}{after}"

    parts = _CODE.split(text)
    # Every third part is text, then code, then the code's fence.
    return "".join(
        part if number % 3 else _LINK.sub(rewrite, part)
        for number, part in enumerate(parts)
        if number % 3 != 2
    )


def copy_pages(build: Build) -> None:
    """Copies the pages of docs/, and those that stand elsewhere in the repository."""
    inside = [file.relative_to(ROOT).as_posix() for file in (ROOT / "docs").rglob("*.md")]
    for path in [*inside, *_OUTSIDE]:
        place = place_of(path)
        assert place is not None
        text = (ROOT / path).read_text(encoding="utf-8")
        build.write_page(place, rewrite_links(text, path) if path.endswith(".md") else text)
    files = [file for kind in ("*.css", "*.png") for file in (ROOT / "docs").rglob(kind)]
    for file in (*(ROOT / "notebooks" / "pictures").iterdir(), *files):
        place = place_of(file.relative_to(ROOT).as_posix())
        assert place is not None
        build.write_file(place, file.read_bytes())


def relative_address(place: str, here: str) -> str:
    """Returns the link from one page of the site's source to another."""
    return os.path.relpath(place, os.path.dirname(here) or ".")
