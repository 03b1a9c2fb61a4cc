"""The folder of an export: a numbered folder for each version, as TensorFlow Serving reads it."""

import re
from pathlib import Path

from data.errors import UserError
from data.files.partials import complete_name, remove_abandoned

SAVED_MODEL = "saved_model.pb"
_VERSION = r"[0-9]{1,18}"


def last_version(folder: Path) -> Path | None:
    """Returns the SavedModel in a folder: the folder itself, or its version with the highest
    number; None if there is none."""
    if (folder / SAVED_MODEL).is_file():
        return folder
    entries = folder.iterdir() if folder.is_dir() else ()
    versions = [each for each in entries if re.fullmatch(_VERSION, each.name)]
    found = [each for each in versions if (each / SAVED_MODEL).is_file()]
    return max(found, key=lambda each: int(each.name), default=None)


def next_version(folder: Path) -> Path:
    """Returns the path of a new version: `1`, or one more than the highest that is there.

    Existing versions and all other files stay. What killed exports have left is removed.

    Raises:
        UserError: it is a file, or a folder with something in it, but no export.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder. Choose another --output")
    remove_abandoned(folder.parent, re.escape(folder.name))
    remove_abandoned(folder, _VERSION)
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    versions = [name for name in names if re.fullmatch(_VERSION, name)]
    # Former versions of the suite wrote the SavedModel into the folder itself.
    models = [folder / version / SAVED_MODEL for version in (".", *versions)]
    others = [name for name in names if complete_name(name) is None]
    if others and not any(model.is_file() for model in models):
        raise UserError(
            f"{folder} exists and is no SavedModel: it holds {others[0]}. Choose another --output"
        )
    return folder / str(1 + max(map(int, versions), default=0))
