"""Generated texts on the terminal: as they come, choice by choice, or line by line."""

import sys
from functools import partial

import tensorflow as tf

from apps.tasks.generation.config import GenerationOptions
from apps.tasks.generation.stream import GrowingText
from data.errors import UserError
from data.graphs import graph
from data.messages import printable
from models.serving.generator import TextGenerator

# Tokens between two looks at what there is.
_EVERY = 16
_CHOICES = 9
# What may stand between a line and its answer.
_BLANK_LINES = 2
_END = "the text ends"


class GenerationTerminal:
    """Answers texts on standard output.

    Args:
        generator: goes on with texts.
        options: as `predict` has them.
    """

    def __init__(self, generator: TextGenerator, options: GenerationOptions):
        self._generator, self._options = generator, options
        self._growing = GrowingText(generator, _EVERY, options.stop, partial(_write, end=""))
        self._follow = graph(
            lambda texts, seed: generator.continue_texts(texts, seed, self._growing.watch),
            input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None, 2], tf.int32)],
        )

    def answer(self, texts: list[str]) -> None:
        """Goes on with texts, or has a dialogue, as the options say."""
        if getattr(self._options, "interactive", False):
            if len(texts) > 1:
                raise UserError("--interactive goes on with one text. Pass one, or none")
            self._choose(texts[0] if texts else "")
        elif getattr(self._options, "complete", False):
            self._reply(texts)
        else:
            for number, text in enumerate(texts):
                _write(text, end="")
                self._stream(text, number)
                _write("")

    def _stream(self, text: str, number: int = 0) -> str:
        """Prints what follows a text while it grows, and returns it.

        Args:
            text: the beginning.
            number: of its stream of random numbers, as if it were a row of a batch.
        """
        self._growing.begin()
        seed = tf.random.experimental.stateless_fold_in([self._options.seed, 0], number)
        found = self._follow(tf.constant([_encode_text(text)]), seed[None])["continuations"]
        added = found.numpy()[0].decode("utf-8")
        self._growing.end(added)
        return added

    def _choose(self, text: str) -> None:
        """Offers the likeliest tokens after a text, again and again."""
        generator = self._generator
        _write("number: take it; Enter: the first; any other text: write it; /: end")
        while True:
            ids, shares = (
                each.numpy()[0]
                for each in generator.next_tokens(tf.constant([_encode_text(text)]), _CHOICES)
            )
            shown = [
                _END if id_ == generator.end else repr(_decode_token(generator, id_)) for id_ in ids
            ]
            _write(f"\n{text}")
            for number, (choice, share) in enumerate(zip(shown, shares, strict=True), 1):
                _write(f"  {number}  {share:6.1%}  {choice}")
            line = _read_line("> ")
            if line is None or line == "/":
                return
            place = int(line or 1) - 1 if line.isdecimal() or not line else -1
            if not 0 <= place < len(ids):
                text += line
            elif ids[place] == generator.end:
                return
            else:
                text += _decode_token(generator, ids[place])

    def _reply(self, texts: list[str]) -> None:
        """Answers lines by the lines that follow them; what was said before is read again."""
        if texts:
            for number, text in enumerate(texts):
                _write(text)
                self._continue(text, number)
            return
        said, number = "", 0
        while line := _read_line("> "):
            said = self._continue(said + line, number)
            number += 1

    def _continue(self, said: str, number: int) -> str:
        """Prints the next line that is not empty, and returns all lines up to it."""
        for _ in range(_BLANK_LINES + 1):
            said += "\n"
            if answer := self._stream(said, number):
                break
        _write("")
        return f"{said}{answer}\n"


def _write(text: str, end: str = "\n") -> None:
    """Writes a part of the conversation to standard output at once."""
    print(printable(text), end=end, flush=True)


def _read_line(prompt: str) -> str | None:
    """Returns a line from the user, or None if there are no more."""
    try:
        return input(prompt if sys.stdin.isatty() else "")
    except EOFError:
        return None


def _decode_token(generator: TextGenerator, token_id: int) -> str:
    return generator.preprocessor.decode(tf.constant([[token_id]])).numpy()[0].decode("utf-8")


def _encode_text(text: str) -> bytes:
    # Bytes that were not UTF-8 on the command line stay as they were.
    return text.encode("utf-8", "surrogateescape")
