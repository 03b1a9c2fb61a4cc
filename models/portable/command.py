"""Answers on a terminal: a JSON object a text."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .folder import FormError, load

_USAGE = "usage: python answer.py TEXT ...\nwithout a text, each line of standard input is one"


def main(folder: Path, arguments: Sequence[str]) -> int:
    """Answers texts, those of the arguments or the lines of standard input.

    Returns:
        The exit status: 0, or 2 where the model cannot be loaded.
    """
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return 0
    try:
        model = load(folder)
    except FormError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    texts = arguments or (line.rstrip("\r\n") for line in sys.stdin)
    for text in texts:
        (row,) = model.answer([text])
        print(json.dumps({"text": text, **row}))
    return 0
