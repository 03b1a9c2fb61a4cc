"""The names of everything that the suite writes into a run and into the folder of a training.

Training overwrites a folder only if it holds nothing but these files. Whatever else lies there
belongs to the user: it is reported, kept or moved, but never removed.
"""

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from data.files.partials import complete_name

CONFIG, MODEL, METRICS, HISTORY = "config.json", "model.keras", "metrics.json", "history.csv"
MEMORY = "memory.npz"
GRADIENT_NORMS, REFIT_HISTORY = "gradient_norms.csv", "refit_history.csv"
REPORT, CARD, TRACKING = "report.html", "README.md", "tracking.json"
LOGS, CHECKPOINTS, SEEDS, REFIT = "logs", "checkpoints", "seeds", "refit"
FORM = "onnx"
LOCK, NEW, FORMER, DISCARDED = "lock", "run", "former", "discarded"

# Stands in a model card as long as nobody has made it his own; a card without it is the user's.
CARD_MARK = "<!-- Written by the suite, which writes it anew; without this line it leaves it. -->"


def is_card(path: Path) -> bool:
    """Returns whether a file is a model card that the suite wrote."""
    try:
        with path.open("rb") as file:
            return CARD_MARK.encode() in file.read(_CARD_HEAD)
    except OSError:
        return False


# The header of a card, which the mark follows, is shorter.
_CARD_HEAD = 2**20
# A table maps regular expressions of names to `FILE`, to the table of a folder, or to a function
# that says of a file of this name whether it is one of the suite.
Table = dict[str, Any]
FILE = None
_LOGS: Table = {"train|validation|gradients": {r"events\.out\.tfevents\..+": FILE}}
# A picture of a split, of the run's data set or of another one.
_PICTURE = r"(bias|confusion|reliability|bleu_by_length)_(.+_)?(train|validation|test|all)\.png"
_SEED = r"[0-9]+"

RUN: Table = {
    re.escape(CONFIG): FILE,
    re.escape(MODEL): FILE,
    re.escape(MEMORY): FILE,
    re.escape(METRICS): FILE,
    re.escape(HISTORY): FILE,
    re.escape(REPORT): FILE,
    re.escape(TRACKING): FILE,
    re.escape(CARD): is_card,
    re.escape(REFIT_HISTORY): FILE,
    re.escape(GRADIENT_NORMS): FILE,
    r"(vocabulary|characters)\.txt": FILE,
    # Older runs have units.json.
    r"((source|target)_)?(tokenizer|units)\.json": FILE,
    r"(training_curves|gradient_norms)\.png": FILE,
    _PICTURE: FILE,
    LOGS: _LOGS,
    FORM: {
        r"model\.(onnx|json)|decoder\.onnx|ngrams\.npz|SHA256SUMS": FILE,
        r"(vocabulary|characters)\.txt": FILE,
        r"((source|target)_)?(tokenizer|units)\.json": FILE,
    },
}
RUN[SEEDS] = {_SEED: dict(RUN)}

# Of one training; TensorFlow writes a checkpoint into files and a folder of its own before it
# renames them.
_PROGRESS: Table = {
    re.escape(HISTORY): FILE,
    re.escape(GRADIENT_NORMS): FILE,
    LOGS: _LOGS,
    CHECKPOINTS: {
        r"checkpoint(\..+)?|ckpt-[0-9]+\..+": FILE,
        r"ckpt-[0-9]+_temp": {r"part-.+": FILE},
    },
}
TRAINING: Table = {
    **_PROGRESS,
    LOCK: FILE,
    re.escape(CONFIG): FILE,
    re.escape(TRACKING): FILE,
    REFIT: _PROGRESS,
    NEW: RUN,
    FORMER: RUN,
}
MEMBERS: Table = {_SEED: RUN, rf"\.{_SEED}\.training": dict(TRAINING)}
TRAINING.update({SEEDS: MEMBERS, DISCARDED: MEMBERS})

_FOREIGN = object()


def find_foreign(folder: Path, contents: Table) -> list[str]:
    """Returns the paths of what the suite did not write into a folder; links are never its own.

    Args:
        folder: to look into.
        contents: the table of what the suite writes there.
    """
    found = []
    for entry in _entries(folder):
        inner = _inner(entry, contents)
        if inner is _FOREIGN:
            found.append(entry.name)
        elif inner is not FILE:
            found += [f"{entry.name}/{path}" for path in find_foreign(entry, inner)]
    return found


def remove_known(folder: Path, contents: Table) -> None:
    """Removes what the suite wrote into a folder, as far as possible, and an empty folder, too; the
    arguments are those of `find_foreign`."""
    for entry in _entries(folder):
        inner = _inner(entry, contents)
        if inner is FILE:
            with suppress(OSError):
                entry.unlink()
        elif inner is not _FOREIGN:
            remove_known(entry, inner)
    with suppress(OSError):
        folder.rmdir()


def rescue_foreign(folder: Path, contents: Table, target: Path) -> list[str]:
    """Moves what the suite did not write into the same place of another folder; returns the paths
    there.

    Args:
        folder: to look into.
        contents: the table of what the suite writes there.
        target: where the name is taken, `.kept` is added to it.
    """
    moved = []
    for path in find_foreign(folder, contents):
        place = target / path
        while os.path.lexists(place):
            place = place.with_name(f"{place.name}.kept")
        place.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder / path, place)
        moved.append(str(place.relative_to(target)))
    return moved


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _inner(entry: Path, contents: Table) -> Any:
    """Returns `FILE`, the table of a folder, or `_FOREIGN`."""
    name = complete_name(entry.name) or entry.name
    try:
        mode = entry.lstat().st_mode
    except FileNotFoundError:  # another process has just removed it
        return FILE
    for pattern, inner in contents.items():
        if not re.fullmatch(pattern, name):
            continue
        if callable(inner):
            # What is not complete yet is the suite's own, whatever it holds.
            own = name != entry.name or inner(entry)
            return FILE if stat.S_ISREG(mode) and own else _FOREIGN
        if (stat.S_ISREG if inner is FILE else stat.S_ISDIR)(mode):
            return inner
    return _FOREIGN
