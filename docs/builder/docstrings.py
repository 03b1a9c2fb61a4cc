"""Docstrings as Markdown: an extension of Griffe, which reads them.

Examples with `>>>` may stand anywhere in a docstring. Markdown would take them for quotations.
"""

import re
from typing import Any

import griffe

# From a line with the prompt to an empty one.
_EXAMPLE = re.compile(r"^>>> .*?(?=\n[ \t]*\n|\Z)", re.MULTILINE | re.DOTALL)


def fence_examples(text: str) -> str:
    """Returns a docstring with its examples in blocks of code."""
    return _EXAMPLE.sub(lambda match: f"```pycon\n{match[0]}\n```", text)


class Examples(griffe.Extension):
    """Puts examples into blocks of code."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Changes the docstring of an object that has been read."""
        if obj.docstring is not None and "```pycon" not in obj.docstring.value:
            obj.docstring.value = fence_examples(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Changes the docstring of the package itself."""
        self.on_object(obj=pkg)
