"""Checksums in a run's `config.json`: of the files that answers depend on, and of itself."""

import hashlib
import json
from fnmatch import fnmatchcase
from pathlib import Path

from data.files.writing import sha256

FILES, FINGERPRINT = "files", "fingerprint"
# Answers depend on these, and a run of several seeds on the descriptions of its members.
_ANSWER_FILES = (
    "model.keras",
    "vocabulary*.txt",
    "characters.txt",
    "*tokenizer.json",
    "memory.npz",
    "*units.json",  # the former name of tokenizer.json
)
_MEMBERS = "seeds/*/config.json"


def with_checksums(description: dict, folder: Path) -> dict:
    """Returns a run's description with the checksums of what is in its folder.

    Args:
        description: JSON values; checksums in it are replaced.
        folder: holds all files that answers depend on.

    Returns:
        The description with `files`, the SHA-256 of each by name, and `fingerprint`, that of
        everything else in it.
    """
    found = sorted([*folder.iterdir(), *folder.glob(_MEMBERS)])
    names = {path.relative_to(folder).as_posix(): path for path in found}
    files = {n: sha256(path) for n, path in names.items() if is_answer_file(n) or is_member(n)}
    description = {name: value for name, value in description.items() if name != FINGERPRINT}
    description[FILES] = files
    return {**description, FINGERPRINT: fingerprint(description)}


def is_answer_file(name: str) -> bool:
    """Returns whether the answers of a run depend on its file of this name."""
    return "/" not in name and any(fnmatchcase(name, pattern) for pattern in _ANSWER_FILES)


def is_member(name: str) -> bool:
    """Returns whether a name is that of the description of one of several seeds."""
    parts = name.split("/")
    return len(parts) == 3 and fnmatchcase(name, _MEMBERS) and parts[1].isdecimal()


def fingerprint(description: dict) -> str:
    """Returns the SHA-256 of a description without its fingerprint, however it is laid out."""
    values = {name: value for name, value in description.items() if name != FINGERPRINT}
    # JSON turns names that are numbers into texts, and tuples into lists.
    values = json.loads(json.dumps(values))
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def check_description(description: dict) -> None:
    """Refuses a description that is not as it was written. Older runs have no checksums.

    Raises:
        ValueError: it is another, or its `files` are no checksums of a run's files.
    """
    if not {FILES, FINGERPRINT} & description.keys():
        return
    if description.get(FINGERPRINT) != fingerprint(description):
        raise ValueError("its content has another checksum than its fingerprint")
    files = description.get(FILES)
    if not isinstance(files, dict) or "model.keras" not in files:
        raise ValueError("it names no checksum of model.keras")
    for name in files:
        if not is_answer_file(name) and not is_member(name):
            raise ValueError(f"{name!r} is no file of a run")
