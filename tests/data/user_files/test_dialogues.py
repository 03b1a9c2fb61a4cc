import json

import pytest

from data.errors import UserError
from data.user_files.columns import DialogueFiles
from data.user_files.dialogues import read_contexts, read_dialogue_files

FILES = DialogueFiles()
TABLE = """dialogue,speaker,text
1,Ann,Hello!
1,Bob,Hi.
1,Bob,Who is it?
2,Ann,"Bye,
then."
2,Bob,See you.
"""
DIALOGUES = [("Hello!", "Hi. Who is it?"), ("Bye, then.", "See you.")]
SPOKEN = [{"speaker": "Ann", "text": "Hello!"}, {"speaker": "Bob", "text": "Hi. Who is it?"}]


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def all_of(path, files=FILES):
    return sorted(each for part in read_dialogue_files(path, files).values() for each in part)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", TABLE),
        ("a.jsonl", "".join(json.dumps({"turns": turns}) + "\n" for turns in DIALOGUES)),
        ("a.jsonl", "".join(json.dumps({"turns": t}) + "\n" for t in (SPOKEN, DIALOGUES[1]))),
        ("a.txt", "".join(f"{' __eou__ '.join(turns)} __eou__\n" for turns in DIALOGUES)),
    ],
)
def test_the_same_dialogues_are_read_from_every_format(name, text, tmp_path):
    assert all_of(write(tmp_path / name, text)) == sorted(DIALOGUES)


def test_columns_have_other_names_and_without_speakers_rows_take_turns(tmp_path):
    path = write(tmp_path / "a.tsv", "id\tsaid\n1\tHello!\n1\tHi.\n")
    assert all_of(path, DialogueFiles("id", "speaker", "said")) == [("Hello!", "Hi.")]


def test_splits_in_files_of_their_own_stay_what_they_are(tmp_path):
    path = write(tmp_path / "a.txt", "a __eou__ b\n" * 3)
    other = write(tmp_path / "b.txt", "c __eou__ d\n")
    splits = read_dialogue_files(path, DialogueFiles(validation=other, test=other))
    assert splits == {"train": [("a", "b")] * 3, "validation": [("c", "d")], "test": [("c", "d")]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.pdf", "", r"dialogues are read from .csv, .tsv, .jsonl, .parquet and .txt files"),
        ("a.txt", "Hello!\n", r"a.txt has no dialogue of two turns. Check the file"),
        ("a.jsonl", '{"turns": ["a", 1]}\n', r"1 row\(s\) without texts in 'turns': row 1"),
        ("a.jsonl", '{"turns": ["a", "b"]}\n{}\n', r"without texts in 'turns': row 2"),
        ("a.csv", "dialog,text\n1,a\n", r"no column 'dialogue' in .* Did you mean dialog\?"),
        ("a.csv", "dialogue,text\n1,a\n1,\n", r"1 row\(s\) without a text in 'text': row 2"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_one_line(name, text, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_dialogue_files(write(tmp_path / name, text), FILES)


def test_dialogues_to_be_answered_are_rows_with_a_turn_a_line(tmp_path):
    rows = list(read_contexts(write(tmp_path / "a.csv", TABLE), FILES))
    assert [row.values for row in rows] == [
        {"dialogue": "1", "text": "Hello!\nHi. Who is it?"},
        {"dialogue": "2", "text": "Bye, then.\nSee you."},
    ]
    lines = '{"id": 7, "turns": ["a", "b"]}\n{"id": 8, "turns": []}\n'
    first, second = read_contexts(write(tmp_path / "a.jsonl", lines), FILES)
    assert (first.values, first.problem) == ({"id": 7, "text": "a\nb"}, "")
    assert second.problem == "without texts in 'turns'"
    [row] = read_contexts(write(tmp_path / "a.txt", "a __eou__ b\n"), FILES)
    assert row.values == {"text": "a\nb"}
    # Any other table has all turns of a dialogue in a cell.
    [row] = read_contexts(write(tmp_path / "b.csv", 'text\n"a\nb"\n'), FILES)
    assert row.values == {"text": "a\nb"}
    assert list(read_contexts(write(tmp_path / "b.txt", ""), FILES)) == []
