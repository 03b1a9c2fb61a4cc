"""Texts with their entities marked, for a terminal."""

import os
import sys

from data.messages import printable

_COLOURS = (36, 33, 35, 32, 34, 31)
_RESET = "\x1b[0m"


def mark_spans(text: str, entities: list[dict], coloured: bool | None = None) -> str:
    """Returns the text with `[span](TYPE 97 %)` for each entity, in the colour of its type.

    Args:
        text: the text.
        entities: ascending `start`, `end`, `type`, `score`.
        coloured: None for where standard output is a terminal and NO_COLOR is not set.
    """
    if coloured is None:
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    parts, end = [], 0
    for entity in entities:
        span = f"[{printable(text[entity['start'] : entity['end']])}]"
        kind = f"({printable(entity['type'])} {100 * entity['score']:.0f} %)"
        if coloured:
            colour = _COLOURS[sum(map(ord, entity["type"])) % len(_COLOURS)]
            span, kind = f"\x1b[1;{colour}m{span}{_RESET}", f"\x1b[{colour}m{kind}{_RESET}"
        parts += [printable(text[end : entity["start"]]), span, kind]
        end = entity["end"]
    return "".join([*parts, printable(text[end:])])
