"""The tokenizer of models that write texts: texts to token ids and back."""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import re2

from ..text import Splitter, lower, replacer
from ..vocabulary import PADDING, UNKNOWN
from ..words import WordSplitter, spread

END = 3
_SPECIAL = END + 1
_BYTES = 256
_UNKNOWN_TEXT = "\ufffd"
# That of `data.text.characters`.
_SPACES = re2.compile(r"[\s\x0b\x1c-\x1f\x{85}\p{Z}]+")
_SHOWN = ["", _UNKNOWN_TEXT, "<start>", "<end>"]
# Older runs have units.json.
_NAMES = ("tokenizer.json", "units.json")
FILES = tuple(f"{side}{name}" for name in _NAMES for side in ("", "source_", "target_"))


def find_vocabulary(folder: Path, side: str = "") -> Path:
    """Returns the file of a vocabulary, that of a side or the one of both."""
    names = [f"{before}{name}" for before in (side, "") for name in _NAMES]
    return next(path for name in names if (path := folder / name).is_file())


def read_ids(path: Path) -> dict[str, int]:
    """Returns the ids of the tokens of a vocabulary."""
    return _number(json.loads(path.read_bytes())["tokens"])


def _number(tokens: Sequence[str]) -> dict[str, int]:
    return {token: place for place, token in enumerate(tokens, _SPECIAL)}


class Tokenizer:
    """Encodes texts as token ids and decodes them; see `data.text.tokenizer`.

    Args:
        path: of the vocabulary: its kind, its tokens and its merges.
        rules: of `models.onnx.form.rules_of`.
    """

    def __init__(self, path: Path, rules: dict[str, Any]) -> None:
        record = json.loads(path.read_bytes())
        self.kind, self._spaced = record["kind"], rules["spaced"]
        self._clean = [replacer(pattern, rewrite) for pattern, rewrite in rules["clean"]]
        self._split = _make_splitter(rules)
        tokens: list[str] = record["tokens"]
        decoded = [token.encode() for token in tokens]
        shown = [*tokens]
        if self.kind == "bytes":
            decoded = [bytes([byte]) for byte in range(_BYTES)]
            # Half of the bytes are no text by themselves.
            shown = [chr(b) if b < 0x80 else f"<0x{b:02X}>" for b in range(_BYTES)]
        elif "splitter" in rules:
            decoded = [b" " + token for token in decoded]
        # Nearly all unknown words came after a space, which was part of the token.
        space = b" " if self._splits_words else b""
        self._decoded = [b"", space + _UNKNOWN_TEXT.encode(), b"", b"", *decoded]
        self.shown = [*_SHOWN, *shown]
        self._ids = _number(tokens)
        self._merges = {
            (self._ids[left], self._ids[right]): (rank, self._ids[left + right])
            for rank, (left, right) in enumerate(record["merges"])
        }
        self._merged: dict[str, list[int]] = {}

    def encode(self, text: bytes) -> list[int]:
        """Returns the ids of a text, any bytes."""
        return self.read(text)[0]

    def read(self, text: bytes) -> tuple[list[int], list[str]]:
        """Returns the ids of a text and the text of each, even if the vocabulary lacks it."""
        text = self._prepare(text)
        if self.kind == "bytes":
            ids = [byte + _SPECIAL for byte in text]
            return ids, [self.shown[each] for each in ids]
        if self._splits_words:
            words = self._split(text)
            return [self._ids.get(word, UNKNOWN) for word in words], words
        letters = text.decode("utf-8", "replace")
        if self.kind == "characters":
            return [self._ids.get(letter, UNKNOWN) for letter in letters], [*letters]
        ids = [id_ for piece in self._split(text) for id_ in self._merge(piece)]
        # Each unknown token is one unknown character, in the same order.
        unknown = iter([letter for letter in letters if letter not in self._ids])
        shown = self.shown
        return ids, [next(unknown) if each == UNKNOWN else shown[each] for each in ids]

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of ids, without PADDING, START and END."""
        text = b"".join([self._decoded[each] for each in ids])
        if self.kind == "words" and text.startswith(self._decoded[UNKNOWN]):
            text = text[1:]
        if self._spaced:
            text = text.removeprefix(b" ")
        return text.decode("utf-8", "replace")

    @property
    def _splits_words(self) -> bool:
        return self.kind not in ("characters", "bytes", "subwords")

    def _prepare(self, text: bytes) -> bytes:
        # All that these steps drop is beyond ASCII.
        if not text.isascii():
            for clean in self._clean:
                text = clean(text)
        if not self._spaced:
            return text
        text = _SPACES.sub(b" ", text).strip()
        return b" " + text if text else text

    def _merge(self, piece: str) -> list[int]:
        """Merges the pair that was learned first, wherever it stands, again and again."""
        if (known := self._merged.get(piece)) is not None:
            return known
        ids = [self._ids.get(letter, UNKNOWN) for letter in piece]
        while pairs := [pair for pair in itertools.pairwise(ids) if pair in self._merges]:
            first = min(pairs, key=self._merges.__getitem__)
            ids = _replace(ids, first, self._merges[first][1])
        self._merged[piece] = ids
        return ids


def _replace(ids: list[int], pair: tuple[int, int], merged: int) -> list[int]:
    """Returns ids in which a pair is one id wherever it stands, from the left."""
    new, place = [], 0
    while place < len(ids):
        same = tuple(ids[place : place + 2]) == pair
        new.append(merged if same else ids[place])
        place += 2 if same else 1
    return new


def _make_splitter(rules: dict[str, Any]) -> Callable[[bytes], list[str]]:
    """Returns what cuts a text into its pieces or words."""
    if "splitter" not in rules:
        return Pieces(rules["pieces"]).split
    if "steps" in rules["splitter"]:
        split = Splitter(rules["splitter"]["steps"]).split
        return lambda text: [token.decode() for token in split(text)]
    words, digit = WordSplitter(rules["splitter"]), re2.compile(rules["splitter"]["digit"])
    return lambda text: [
        digit.sub(b"0", lower(word)).decode() for word in words.split(text).strings
    ]


class Pieces:
    """Cuts texts into words and signs that, joined, are the text again.

    Args:
        rules: of `data.text.pretokenizer.rules_as_table`.
    """

    def __init__(self, rules: dict[str, Any]) -> None:
        self._outlines = spread(rules["outlines"]).astype(np.uint8)
        self._end = rules["end"].encode()
        self._marks = [replacer(pattern, rewrite) for pattern, rewrite in rules["marks"]]

    def split(self, text: bytes) -> list[str]:
        """Returns the pieces of a text, any bytes; those that are not UTF-8 become U+FFFD."""
        letters = text.decode("utf-8", "replace")
        codes = np.frombuffer(letters.encode("utf-32-le"), "<u4")
        marked = self._outlines[np.minimum(codes, len(self._outlines) - 1)].tobytes()
        for mark in self._marks:
            marked = mark(marked)
        pieces, begin = [], 0
        for size in map(len, marked.split(self._end)):
            if size:
                pieces.append(letters[begin : begin + size])
            begin += size
        return pieces


def join_prompts(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns rows of ids as <int64>[rows, longest], padded before them."""
    longest = max(map(len, rows))
    return np.array([[PADDING] * (longest - len(row)) + [*row] for row in rows], np.int64)
