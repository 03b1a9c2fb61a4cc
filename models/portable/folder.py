"""The folder of a model's ONNX form: what it holds, and how it is loaded."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from .classifier import Classifier
from .decoding.generator import Generator
from .decoding.tokenizer import FILES as TOKENIZERS
from .decoding.translator import DECODER, Translator
from .session import Network
from .tagger import Tagger

FORMAT = 1
NETWORK, SETTINGS, CHECKSUMS = "model.onnx", "model.json", "SHA256SUMS"
# Answers depend on these; a network and its settings are always there.
_FILES = (
    *(NETWORK, SETTINGS, DECODER),
    *("vocabulary.txt", "characters.txt", "ngrams.npz"),
    *TOKENIZERS,
)
# What answers, by kind of model.
KINDS: dict[str, Callable[..., Any]] = {
    "classifier": Classifier,
    "tagger": Tagger,
    "language model": Generator,
    "translator": Translator,
}
# Texts of like length are a batch: so many, or fewer long ones.
_BATCH, _CHARACTERS = 32, 2**18


class FormError(ValueError):
    """A folder holds no ONNX form of a model, or a damaged one."""


class Answering(Protocol):
    """Answers a batch of texts."""

    def answer(self, texts: Sequence[bytes], numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Returns the output columns of each text.

        Args:
            texts: any bytes.
            numbers: of the texts; what is drawn by chance follows from them.
        """


class Model:
    """A trained model that answers texts.

    >>> model = load("exported/hate_speech/1")
    >>> model.answer(["Have a nice day"])[0]["predicted_label"]
    'neither'

    Args:
        settings: what `model.json` says.
        answering: answers a batch.
    """

    def __init__(self, settings: dict[str, Any], answering: Answering) -> None:
        self.settings, self._answering = settings, answering

    @property
    def kind(self) -> str:
        """A key of `KINDS`."""
        return self.settings["kind"]

    @property
    def application(self) -> str:
        """The application that trained it."""
        return self.settings["application"]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, or the types of entities."""
        return tuple(self.settings["class_names"])

    def with_options(self, options: dict[str, Any]) -> "Model":
        """Returns the same model with other options; a language model and a translator have some.

        Args:
            options: those of `model.json`, all of them.
        """
        answering: Any = copy.copy(self._answering)
        answering.set_options(options)
        return Model(self.settings, answering)

    def follow(
        self, text: str, on_piece: Callable[[str], object], number: int = 0, **changes: Any
    ) -> dict[str, Any]:
        """Continues a text while somebody reads, by a language model; returns its columns.

        Args:
            text: the beginning.
            on_piece: takes each piece as it comes; what it returns is true if nobody wants more.
            number: of the text, which chooses its random numbers.
            **changes: options that differ from those of the model.
        """
        generator: Any = self._answering
        return generator.follow(_encode(text), on_piece, number, **changes)

    def answer(self, texts: str | Sequence[str | bytes]) -> list[dict[str, Any]]:
        """Returns the answer to each text, a dict of columns; to one text, a list of one.

        Args:
            texts: any number; bytes that were not UTF-8 may be escaped as Python does
                (`surrogateescape`).
        """
        given = [texts] if isinstance(texts, str) else texts
        encoded = [text if isinstance(text, bytes) else _encode(text) for text in given]
        rows: list[dict[str, Any]] = [{}] * len(encoded)
        for places in _batches(encoded):
            answers = self._answering.answer([encoded[place] for place in places], places)
            for place, row in zip(places, answers, strict=True):
                rows[place] = row
        return rows


def _encode(text: str) -> bytes:
    # Bytes that were not UTF-8 are given back as they were.
    return text.encode("utf-8", "surrogateescape")


def _batches(texts: Sequence[bytes]) -> Iterator[list[int]]:
    """Yields the places of texts of like length, the longest first."""
    order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
    while order:
        size = max(1, min(_BATCH, _CHARACTERS // max(1, len(texts[order[0]]))))
        yield order[:size]
        order = order[size:]


def load(folder: str | Path) -> Model:
    """Loads a model from its folder, and compares each file with its checksum.

    Raises:
        FormError: the folder holds none, or a damaged one, or one of another version.
    """
    folder = Path(folder)
    settings = read_settings(folder)
    _check_files(folder)
    try:
        network = Network((folder / NETWORK).read_bytes())
        return Model(settings, KINDS[settings["kind"]](folder, settings, network))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FormError(f"cannot load {folder}: {error}. Export again") from error


def read_settings(folder: Path) -> dict[str, Any]:
    """Returns what `model.json` says.

    Raises:
        FormError: there is none, or one of another version.
    """
    try:
        settings = json.loads((folder / SETTINGS).read_bytes())
    except FileNotFoundError:
        raise FormError(f"no ONNX form of a model in {folder}") from None
    except (OSError, ValueError) as error:
        raise FormError(f"cannot read {folder / SETTINGS}: {error}") from None
    if not isinstance(settings, dict) or settings.get("format") != FORMAT:
        raise FormError(f"{folder / SETTINGS} is none of format {FORMAT}. Export again")
    return settings


def _check_files(folder: Path) -> None:
    """Compares the files that answers depend on with the list of checksums.

    Raises:
        FormError: one is missing or damaged.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        # The checksum and the name, with two spaces between.
        expected = dict(line.split("  ", 1)[::-1] for line in lines)
        if not {NETWORK, SETTINGS} <= expected.keys():
            raise FormError(f"{folder / CHECKSUMS} does not list {NETWORK} and {SETTINGS}")
        for name in expected.keys() & set(_FILES):
            checksum = expected[name]
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != checksum:
                raise FormError(f"{folder / name} is damaged: its checksum is not the listed one")
    except FormError:
        raise
    except (OSError, ValueError) as error:
        raise FormError(f"cannot check {folder}: {error}. Export again") from None
