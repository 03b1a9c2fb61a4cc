"""Conversations of learners of English about everyday life (Li et al. 2017)."""

import re
from pathlib import Path

from data.corpora.download import find_original
from data.errors import UserError
from data.examples.corpus import SPLITS
from data.examples.dialogues import Dialogue, clean_turn, drop_copies, letters_of
from data.files.archives import open_unpacked
from data.files.lines import read_stream_lines

_HOME = "http://yanran.li/dailydialog"
# What of a dialogue may be known from the training split in the clean validation split.
CLEAN, _KNOWN_SHARE, _FEWEST_WORDS = "dailydialog_clean", 0.2, 6
_END_OF_TURN = "__eou__"
# The corpus has spaces before signs, and none between some sentences ("Good.Let ' s go now .").
_SPACING = (
    (re.compile("[\u2018\u2019]"), "'"),
    (re.compile(r"(?<=\w) ?' ?(?=(?:s|m|d|t|re|ve|ll)\b)", re.IGNORECASE), "'"),
    (re.compile(r"\s+(?=[.,!?;:%)])"), ""),
    (re.compile(r"(?<=[a-z])([.?!])(?=[A-Z])"), r"\1 "),
    (re.compile(r"(?<=[a-z]),(?=[a-zA-Z])"), ", "),
    (re.compile(r"(?<=[(])\s+"), ""),
)


def read(data_dir: str | None, name: str) -> dict[str, list[Dialogue]]:
    """Reads the dialogues of all splits that are there, with the spacing of ordinary English.

    Dialogues of other splits that are copies of training dialogues are dropped: 123 of the 1,000 of
    the validation split. `dailydialog_clean` has of the others only those of which at most a fifth
    of the turns of six words and more stand in the training split: 715. Case, signs and spaces do
    not make a turn another one.

    Args:
        data_dir: the data folder.
        name: `dailydialog` or `dailydialog_clean`.

    Raises:
        UserError: there is no such corpus, or it cannot be read.
    """
    splits = {}
    for split in SPLITS:
        path = _find(data_dir, split)
        if path is not None:
            splits[split] = _read_file(path, split)
    if missing := {"train", "validation"} - splits.keys():
        raise UserError(
            f"no {min(missing)} split of dailydialog in {data_dir or 'the data folder'}. Get "
            f"ijcnlp_dailydialog.zip from {_HOME}, unpack it to <folder>/dailydialog and pass "
            "--data-dir <folder>"
        )
    train = splits["train"]
    known = {letters_of(turn) for dialogue in train for turn in dialogue}
    for split in splits.keys() - {"train"}:
        splits[split] = drop_copies(splits[split], train)
        if name == CLEAN:
            splits[split] = [each for each in splits[split] if _is_new(each, known)]
    return {
        split: [tuple(map(space_ordinarily, dialogue)) for dialogue in dialogues]
        for split, dialogues in splits.items()
    }


def space_ordinarily(turn: str) -> str:
    """Returns a turn without spaces before signs, and with one after each sentence.

    >>> space_ordinarily("Good.Let ' s go now , if you don \u2019 t mind .")
    "Good. Let's go now, if you don't mind."
    """
    for pattern, spaced in _SPACING:
        turn = pattern.sub(spaced, turn)
    return turn


def _find(data_dir: str | None, split: str) -> Path | None:
    """Returns the file of a split, which may be packed alone or with its folder; or None."""
    folders = ("dailydialog", "ijcnlp_dailydialog", "dailydialog/ijcnlp_dailydialog")
    names = (f"{split}/dialogues_{split}.txt*", f"dialogues_{split}.txt*", f"{split}.zip")
    return find_original(data_dir, *(f"{folder}/{name}" for folder in folders for name in names))


def _read_file(path: Path, split: str) -> list[Dialogue]:
    """Reads a dialogue a line."""
    member = f"{split}/dialogues_{split}.txt" if path.suffix == ".zip" else None
    with open_unpacked(path, f"Get it from {_HOME}", member) as file:
        rows = [
            tuple(filter(None, map(clean_turn, line.split(_END_OF_TURN))))
            for line in read_stream_lines(file, str(path))
        ]
    return [dialogue for dialogue in rows if dialogue]


def _is_new(dialogue: Dialogue, known: set[str]) -> bool:
    """Returns whether at most a fifth of the longer turns of a dialogue are known."""
    long = [turn for turn in dialogue if len(turn.split()) >= _FEWEST_WORDS]
    return sum(letters_of(turn) in known for turn in long) <= _KNOWN_SHARE * len(long)
