"""Users' own dialogues: JSON lines of turns, a table with a row a turn, or lines of text."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from data.errors import UserError, did_you_mean, refuse_rows
from data.examples.dialogues import (
    Dialogue,
    clean_turn,
    join_speakers,
    join_turns,
    split_dialogues,
)
from data.examples.splits import FRACTIONS
from data.files.lines import is_utf8, read_lines
from data.formats.readers import read_records
from data.formats.record import TEXT_COLUMN, Record
from data.user_files.columns import DialogueFiles

# The column of JSON lines that have a whole dialogue each, and what ends a turn in a line of text.
TURNS, END_OF_TURN = "turns", "__eou__"
_TABLES = (".csv", ".tsv", ".jsonl", ".parquet")


def read_dialogue_files(path: str, files: DialogueFiles) -> dict[str, list[Dialogue]]:
    """Reads a file of dialogues, and the files of other splits if there are any.

    Args:
        path: JSON lines with `turns` (texts, or objects of `speaker` and `text`); a table with a
            row a turn; or lines of text whose turns end with `__eou__`.
        files: the columns of a table and the files of other splits.

    Returns:
        Dialogues by split name. What has no file is cut from the first one by a hash of the
        dialogues.

    Raises:
        UserError: a file cannot be used; the message has the numbers of bad rows.
    """
    others = {"validation": files.validation, "test": files.test}
    splits = {name: _read_file(file, files) for name, file in others.items() if file is not None}
    wanted = {name: share for name, share in FRACTIONS.items() if name not in splits}
    if splits:
        # If other splits have files, these dialogues are for training and its validation.
        wanted.pop("test", None)
    dialogues, total = _read_file(path, files), sum(wanted.values())
    if len(wanted) == 1:
        return {"train": dialogues, **splits}
    shares = {name: share / total for name, share in wanted.items()}
    return {**split_dialogues(dialogues, shares), **splits}


def read_turns(value: Any, files: DialogueFiles) -> Dialogue | None:
    """Returns the turns in a cell of JSON lines; None if it has others than texts, or none.

    Args:
        value: a list of texts, or of objects with a speaker and a text.
        files: how these two are called.
    """
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(turn, dict) for turn in value):
        spoken = [(turn.get(files.speaker), turn.get(files.text)) for turn in value]
        if not all(isinstance(text, str) for _, text in spoken):
            return None
        value = join_speakers([(str(speaker), str(text)) for speaker, text in spoken])
    if not all(isinstance(turn, str) and is_utf8(turn) for turn in value):
        return None
    turns = tuple(map(clean_turn, value))
    return turns if all(turns) else None


def read_contexts(path: str, files: DialogueFiles) -> Iterator[Record]:
    """Streams the dialogues of a file that are to be answered, one a row.

    Args:
        path: as `read_dialogue_files` takes it, or any file that `read_records` reads, with all
            turns of a dialogue in the column of the texts.
        files: the columns of a table.

    Yields:
        Rows whose `files.text` has the turns, a line each.

    Raises:
        UserError: as `read_records`.
    """
    rows = read_records(path)
    if (first := next(rows, None)) is None:
        return
    rows = itertools.chain([first], rows)
    if TURNS in first.values:
        yield from (_join_cell(row, files) for row in rows)
    elif files.dialogue in first.values:
        yield from _join_rows(rows, files)
    elif Path(path).suffix.lower() == ".txt":
        for row in rows:
            turns = str(row.values[TEXT_COLUMN]).split(END_OF_TURN)
            yield row._replace(values={TEXT_COLUMN: join_turns(turns)})
    else:
        yield from rows


def _join_cell(row: Record, files: DialogueFiles) -> Record:
    """Returns a row with its turns as one text."""
    turns = read_turns(row.values.get(TURNS), files)
    values = {name: cell for name, cell in row.values.items() if name != TURNS}
    values[files.text] = join_turns(turns or ())
    if row.problem or turns:
        return row._replace(values=values)
    return row._replace(values=values, problem=f"without texts in {TURNS!r}")


def _join_rows(rows: Iterable[Record], files: DialogueFiles) -> Iterator[Record]:
    """Joins the rows of each dialogue that follow each other."""
    for number, (name, turns) in enumerate(
        itertools.groupby(rows, lambda row: row.values.get(files.dialogue)), 1
    ):
        spoken = [
            (str(row.values.get(files.speaker, place)), str(row.values.get(files.text) or ""))
            for place, row in enumerate(turns)
        ]
        yield Record(number, {files.dialogue: name, files.text: join_turns(join_speakers(spoken))})


def _read_file(path: str, files: DialogueFiles) -> list[Dialogue]:
    suffix = Path(path).suffix.lower()
    if suffix == ".txt":
        found = _read_text(path)
    elif suffix in _TABLES:
        records = list(read_records(path))
        refuse_rows(path, [row.number for row in records if row.problem], "that cannot be read")
        whole = any(TURNS in record.values for record in records)
        found = _read_whole(path, records, files) if whole else _read_rows(path, records, files)
    else:
        raise UserError(
            f"{path}: dialogues are read from {', '.join(_TABLES)} and .txt files. Save it as one "
            "of these"
        )
    # One turn alone is no answer, and has none.
    long = [dialogue for dialogue in found if len(dialogue) > 1]
    if not long:
        raise UserError(f"{path} has no dialogue of two turns. Check the file")
    return long


def _read_text(path: str) -> list[Dialogue]:
    lines = list(read_lines(path))
    others = [number for number, line in enumerate(lines, 1) if not is_utf8(line)]
    refuse_rows(path, others, "that are not UTF-8")
    return [tuple(filter(None, map(clean_turn, line.split(END_OF_TURN)))) for line in lines]


def _read_whole(path: str, records: list[Record], files: DialogueFiles) -> list[Dialogue]:
    """Returns the dialogues of rows that have one each."""
    found = [read_turns(record.values.get(TURNS), files) for record in records]
    bad = [record.number for record, turns in zip(records, found, strict=True) if turns is None]
    refuse_rows(path, bad, f"without texts in {TURNS!r}")
    return [turns for turns in found if turns is not None]


def _read_rows(path: str, records: list[Record], files: DialogueFiles) -> list[Dialogue]:
    """Returns the dialogues of rows that have a turn each, in the order of their first rows."""
    names = sorted({name for record in records for name in record.values})
    for column in (files.dialogue, files.text):
        if records and column not in names:
            raise UserError(
                f"no column {column!r} in {path}. It has: {', '.join(names)}. Choose with "
                f"--dialogue-column and --text-column{did_you_mean(column, names)}"
            )
    spoken: dict[str, list[tuple[str, str]]] = defaultdict(list)
    empty = []
    for record in records:
        text = record.values.get(files.text)
        if not (isinstance(text, str) and text.strip() and is_utf8(text)):
            empty.append(record.number)
            continue
        dialogue = spoken[str(record.values.get(files.dialogue))]
        # Without speakers, each row is the turn of another one than the row before.
        speaker = record.values.get(files.speaker, len(dialogue))
        dialogue.append((str(speaker), clean_turn(text)))
    refuse_rows(path, empty, f"without a text in {files.text!r}")
    return [join_speakers(turns) for turns in spoken.values()]
