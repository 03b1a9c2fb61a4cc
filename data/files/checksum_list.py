"""A list of the checksums of a folder's files, in the format of `sha256sum`."""

import re
from pathlib import Path

from data.errors import UserError
from data.files.json_files import cannot_read
from data.files.writing import sha256

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def write_checksum_list(folder: Path, name: str) -> None:
    """Writes the SHA-256 of every file below a folder into a file in it.

    Args:
        folder: holds the files.
        name: the path of the list in it.
    """
    lines = [f"{checksum}  {path}\n" for path, checksum in _checksums(folder, name).items()]
    (folder / name).write_text("".join(lines), encoding="utf-8", newline="")


def check_checksum_list(folder: Path, name: str) -> None:
    """Compares the files below a folder with their list.

    Raises:
        UserError: one of them is missing, damaged or not in the list, or there is no list.
    """
    remedy = "Check the file and its permissions"
    try:
        lines = (folder / name).read_bytes().decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise cannot_read(folder / name, error, remedy) from None
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    if len(matches) < len(lines):
        raise UserError(f"{folder / name} is damaged: it is not a list of checksums. Export again")
    expected = {match[2]: match[1] for match in matches}
    try:
        actual = _checksums(folder, name)
    except OSError as error:
        raise cannot_read(error.filename, error, remedy) from None
    for path in sorted(expected.keys() | actual.keys()):
        if actual.get(path) != expected.get(path):
            what = "missing" if path not in actual else "damaged" if path in expected else "unknown"
            raise UserError(
                f"{folder / path} is {what}: its checksum is not the one in {name}. Copy the "
                "folder again, or export again"
            )


def _checksums(folder: Path, name: str) -> dict[str, str]:
    # Python writes there what it has compiled of an export that it runs.
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"
    )
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return {path: sha256(file) for path, file in names.items() if path != name}
