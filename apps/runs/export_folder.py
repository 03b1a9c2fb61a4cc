"""The folder of an export: a numbered folder for each version, as TensorFlow Serving reads it."""

import re
from collections.abc import Collection
from pathlib import Path

from data.errors import UserError
from data.files.partials import complete_name, remove_abandoned

SAVED_MODEL, NETWORK = "saved_model.pb", "model.onnx"
# The formats of an export, and the file that tells each.
FORMATS = {"savedmodel": SAVED_MODEL, "onnx": NETWORK}
_VERSION = r"[0-9]{1,18}"


def last_version(folder: Path) -> Path | None:
    """Returns the exported model in a folder: the folder itself, or its version with the highest
    number; None if there is none."""
    if formats_in(folder):
        return folder
    entries = folder.iterdir() if folder.is_dir() else ()
    versions = [each for each in entries if re.fullmatch(_VERSION, each.name)]
    found = [each for each in versions if formats_in(each)]
    return max(found, key=lambda each: int(each.name), default=None)


def formats_in(version: Path) -> tuple[str, ...]:
    """Returns the names in `FORMATS` of the formats that a version has."""
    return tuple(name for name, file in FORMATS.items() if (version / file).is_file())


def next_version(folder: Path, formats: Collection[str] = ("savedmodel",)) -> Path:
    """Returns the path of a new version: `1`, or one more than the highest that is there.

    Existing versions and all other files stay. What killed exports have left is removed.

    Args:
        folder: of all versions.
        formats: of the new one, names in `FORMATS`.

    Raises:
        UserError: it is a file, or a folder with something in it, but no export; or its last
            version has other formats: whoever reads one of these would find it no more.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder. Choose another --output")
    remove_abandoned(folder.parent, re.escape(folder.name))
    remove_abandoned(folder, _VERSION)
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    versions = [name for name in names if re.fullmatch(_VERSION, name)]
    # Former versions of the suite wrote the SavedModel into the folder itself.
    others = [name for name in names if complete_name(name) is None]
    if others and not any(formats_in(folder / version) for version in (".", *versions)):
        raise UserError(
            f"{folder} exists and is no SavedModel: it holds {others[0]}. Choose another --output"
        )
    last = last_version(folder)
    before = formats_in(last) if last else tuple(formats)
    if set(before) != set(formats):
        raise UserError(
            f"{last} has the format {' and '.join(before)}, not {' and '.join(formats)}. Keep to "
            f"--format {' '.join(before)}, or choose another --output"
        )
    return folder / str(1 + max(map(int, versions), default=0))
