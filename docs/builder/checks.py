"""Checks of the built site: dead links, missing pictures, and whatever comes from outside."""

import html
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

# html.parser takes a minute for these pages, which all repeat the navigation.
_TAG = re.compile(r"<([a-zA-Z]\w*)((?:\s+[^<>\"']+(?:=(?:\"[^\"]*\"|'[^']*'))?)*)\s*/?>")
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))")
_NOT_TEXT = re.compile(r"<(pre|code|script|style)\b.*?</\1>|<[^>]+>", re.DOTALL)
# Addresses that a browser loads by itself, by element.
_LOADED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
}
# Hints to search engines are not loaded.
_NOT_LOADED = {"canonical", "alternate", "prev", "next"}
_HOSTS = re.compile(r"(?:https?:)?//(?:cdn|cdnjs|unpkg|fonts|polyfill)\.[\w.-]+")
_OUTSIDE_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^\"')]+")
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z+.-]*:|//")
_RAW_FORMULA = re.compile(r"\$[^$\n]*[\\_^][^$\n]*\$|\\[(\[][^\n]*\\[)\]]|\\begin\{")


@dataclass(frozen=True)
class Page:
    """What a page defines and refers to.

    Attributes:
        anchors: places in it that a link can lead to.
        links: addresses that a reader can follow.
        loads: addresses that a browser loads by itself.
        text: what stands outside of code and tags.
    """

    anchors: frozenset[str]
    links: frozenset[str]
    loads: frozenset[str]
    text: str


def read_page(text: str) -> Page:
    """Returns what a page of HTML refers to."""
    anchors, links, loads = set(), set(), set()
    for tag, attributes in _TAG.findall(text):
        values = {
            name.lower(): html.unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(attributes)
        }
        anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag.lower() == "a" and values.get("href"):
            links.add(values["href"])
        if not _NOT_LOADED & set(values.get("rel", "").split()):
            names = _LOADED.get(tag.lower(), ())
            loads |= {values[name] for name in names if values.get(name)}
    text = html.unescape(_NOT_TEXT.sub(" ", text))
    return Page(frozenset(anchors), frozenset(links), frozenset(loads), text)


def find_problems(site: Path) -> list[str]:
    """Returns a line for each dead link, missing file, address from outside and raw formula."""
    files = {file.relative_to(site).as_posix() for file in site.rglob("*") if file.is_file()}
    pages = {
        name: read_page((site / name).read_text(encoding="utf-8"))
        for name in sorted(files)
        if name.endswith(".html")
    }
    problems = []
    for name, page in pages.items():
        problems += _dead_links(name, page, pages, files)
        outside = [each for each in page.loads if re.match(r"(https?:)?//", each)]
        problems += [f"{name}: loads {each}" for each in outside]
        if raw := _RAW_FORMULA.search(page.text):
            problems.append(f"{name}: a formula is not rendered: {raw[0][:60]}")
    for name in sorted(files):
        if name.endswith((".css", ".js")):
            text = (site / name).read_text(encoding="utf-8")
            found = {*_HOSTS.findall(text), *_OUTSIDE_CSS.findall(text)}
            problems += [f"{name}: names {each}" for each in sorted(found)]
    return problems


def _dead_links(name: str, page: Page, pages: dict[str, Page], files: set[str]) -> list[str]:
    problems = []
    for address in sorted(page.links | page.loads):
        # 404.html is shown for pages of any depth: its addresses begin with a slash.
        if _ELSEWHERE.match(address) or (name == "404.html" and address.startswith("/")):
            continue
        path, _, anchor = address.partition("#")
        path = unquote(path.partition("?")[0])
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
        if target not in files and f"{target}/index.html".removeprefix("./") in files:
            target = f"{target}/index.html".removeprefix("./")
        if target not in files:
            problems.append(f"{name}: {address} leads nowhere")
        elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
            problems.append(f"{name}: {address}: there is no such anchor")
    return problems
