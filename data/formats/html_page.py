"""The frame of every page of HTML that the suite writes: one file, without scripts but its own, and
without anything from outside.

Texts, class names and column names come from outside: they are escaped, and stay text.
"""

import base64
import hashlib
import html
from collections.abc import Iterable

# The browser itself refuses whatever a page would fetch or run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """body { color: #111; background: #fff; font: 1rem/1.6 sans-serif; margin: 2rem auto; \
max-width: 60rem; padding: 0 1rem; overflow-wrap: anywhere }
mark { border-radius: .2rem; color: inherit; padding: .1rem .2rem }
"""
# Of entities: the same type has the same colour on every page.
ENTITY_STYLE = """mark.entity { background: hsl(var(--hue) 80% 85%) }
mark.entity small { color: #444 }
"""
END = "</body>\n</html>\n"


def begin_page(title: str, style: str = "", script: str = "", plays: bool = False) -> str:
    """Returns the head of a page and the beginning of its body.

    Args:
        title: of the window.
        style: rules of CSS besides those of every page.
        script: that `end_page` adds; the browser runs no other one.
        plays: whether the page has a player of a file that lies beside it.
    """
    policy = _POLICY
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
        policy += f"; script-src 'sha256-{digest}'"
    if plays:
        # A page that is opened as a file has no `self` in every browser.
        policy += "; media-src 'self' file:"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<style>
{_STYLE}{style}</style>
</head>
<body>
"""


def end_page(script: str = "") -> str:
    """Returns the end of a page, with the script that `begin_page` allows."""
    return f"<script>{script}</script>\n{END}" if script else END


def escape(text: object, most: int | None = None) -> str:
    """Returns a text as HTML that shows it, whatever it holds.

    Args:
        text: any value.
        most: the characters that are shown at most; None for all.
    """
    shown = str(text)
    if most is not None and len(shown) > most:
        shown = f"{shown[:most]} [... {len(shown) - most:,} more characters]"
    return html.escape(shown)


def mark_entities(text: str, entities: Iterable[tuple[int, int, str, str]]) -> str:
    """Returns a text as HTML with its entities marked.

    Args:
        text: the text.
        entities: start, end, type and tooltip of each, ascending and without overlap.
    """
    parts, end = [], 0
    for start, stop, kind, tooltip in entities:
        hue = sum(ord(letter) * 37 for letter in kind) % 360
        title = f' title="{html.escape(tooltip)}"' if tooltip else ""
        parts.append(
            f'{html.escape(text[end:start])}<mark class=entity style="--hue: {hue}"{title}>'
            f"{html.escape(text[start:stop])}<small> {html.escape(kind)}</small></mark>"
        )
        end = stop
    return "".join([*parts, html.escape(text[end:])])


def inline_picture(content: bytes, title: str) -> str:
    """Returns a PNG picture as HTML that holds it.

    Args:
        content: the bytes of the file.
        title: what the picture shows, for those who do not see it.
    """
    encoded = base64.b64encode(content).decode("ascii")
    return f'<img src="data:image/png;base64,{encoded}" alt="{html.escape(title)}">'
