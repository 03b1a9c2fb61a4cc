"""A dialogue on the terminal, with its history."""

import importlib
import json
import sys
from collections.abc import Callable
from contextlib import suppress

from data.errors import UserError
from data.examples.dialogues import clean_turn
from data.files.writing import whole_file
from data.messages import printable, say, warn

COMMANDS = """/reset      forget what was said
/save FILE  write the dialogue as a line of JSON, which train and predict --input read
/quit       end, as Ctrl-D does"""


class ChatTerminal:
    """Answers lines from the terminal.

    Args:
        answer: takes the turns so far and returns the next one.
        turns: what was said before.
    """

    def __init__(self, answer: Callable[[list[str]], str], turns: list[str]) -> None:
        self._answer, self.turns = answer, list(map(clean_turn, turns))

    def run(self) -> None:
        """Answers line after line, until there are no more."""
        # With it, `input` remembers and edits lines.
        with suppress(ImportError):
            importlib.import_module("readline")
        if sys.stdin.isatty():
            say("/help says what else there is; Ctrl-D ends")
        if self.turns:
            self._reply()
        while True:
            try:
                line = input("> " if sys.stdin.isatty() else "").strip()
            except EOFError:
                return
            if line in ("/quit", "/exit"):
                return
            if line.startswith("/"):
                self._obey(*line.split(maxsplit=1))
            elif line:
                self.turns.append(clean_turn(line))
                self._reply()

    def _reply(self) -> None:
        self.turns.append(self._answer(self.turns))
        print(printable(self.turns[-1]), flush=True)

    def _obey(self, command: str, argument: str = "") -> None:
        """Does what a line with a slash says; a mistake is reported and ends nothing."""
        if command == "/reset":
            self.turns.clear()
        elif command == "/save" and argument:
            try:
                self._save(argument)
            except (UserError, OSError) as error:
                warn(f"error: {error}")
        else:
            print(COMMANDS, flush=True)

    def _save(self, name: str) -> None:
        from pathlib import Path

        text = json.dumps({"turns": self.turns}, ensure_ascii=False)
        with whole_file(Path(name)) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
        say(f"written: {name}, {len(self.turns)} turns")
