"""Answers in the numbered parts of a folder, and commands that go on with them."""

import fcntl
import json
import os

import pytest

from apps.serving import parts
from apps.serving.files import Prediction
from apps.serving.parts import Parts, is_folder
from apps.serving.rows import RowReader
from data.errors import UserError


class Lengths:
    """Answers how long a text is, until a text says stop; it keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def answer(self, texts):
        if "stop" in texts:
            raise KeyboardInterrupt
        self.asked += texts
        return [{"length": len(text)} for text in texts]

    def empty_row(self):
        return {"length": None}

    def format_answer(self, text, row):
        return text


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "ROWS", 2)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("text,n\na,1\n,2\nccc,3\ndddd,4\neeeee,5\n")
    return path


def answer(source, folder, task=None, **depends):
    prediction = Prediction(task or Lengths(), RowReader("text", rows=2))
    return Parts(str(folder), str(source), {"model": "m", **depends}).answer(prediction)


def lines(folder):
    """The rows of all parts, a header before those of each."""
    return [path.read_text().splitlines() for path in sorted(folder.glob("part-*"))]


WHOLE = [
    ["text,n,length", "a,1,1", ",2,"],
    ["text,n,length", "ccc,3,3", "dddd,4,4"],
    ["text,n,length", "eeeee,5,5"],
]


def test_a_folder_is_there_or_ends_with_a_slash(tmp_path):
    assert is_folder("new/") and is_folder(str(tmp_path))
    assert not is_folder(str(tmp_path / "new.csv")) and not is_folder(None)


def test_rows_are_written_in_parts_and_rows_without_an_answer_are_counted(tmp_path, source):
    assert answer(source, tmp_path / "out") == 1
    assert lines(tmp_path / "out") == WHOLE


def test_an_interrupted_command_goes_on_at_the_first_row_that_no_part_has(tmp_path, source, capsys):
    folder, text = tmp_path / "out", source.read_text()
    times = os.stat(source)
    source.write_text(text.replace("dddd", "stop"))
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(KeyboardInterrupt):
        answer(source, folder)
    assert lines(folder) == WHOLE[:1]
    source.write_text(text)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = Lengths()
    assert answer(source, folder, again) == 1
    assert again.asked == ["dddd", "ccc", "eeeee"]
    assert lines(folder) == WHOLE
    assert "1 part(s) of" in (said := capsys.readouterr().out) and "at row 3" in said
    # There is nothing left to do.
    idle = Lengths()
    assert (answer(source, folder, idle), idle.asked) == (1, [])
    assert "all 5 rows" in capsys.readouterr().out


def test_a_part_that_is_not_in_the_list_yet_is_written_again(tmp_path, source):
    folder = tmp_path / "out"
    answer(source, folder)
    state = json.loads((folder / "parts.json").read_text())
    state.update(parts=state["parts"][:1], whole=False)
    (folder / "parts.json").write_text(json.dumps(state))
    (folder / "part-00002.csv").write_text("half")
    assert (answer(source, folder), lines(folder)) == (1, WHOLE)


def test_answers_of_another_input_or_model_are_not_mixed(tmp_path, source):
    folder = tmp_path / "out"
    answer(source, folder)
    with pytest.raises(UserError, match="another model or options"):
        answer(source, folder, model="other")
    source.write_text(source.read_text() + "f,6\n")
    with pytest.raises(UserError, match="another input"):
        answer(source, folder)
    assert lines(folder) == WHOLE


def test_other_files_stay_alone_and_two_commands_do_not_share_a_folder(tmp_path, source):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match=r"other files than parts: letter\.txt"):
        answer(source, folder)
    (folder / "letter.txt").unlink()
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="another process writes"):
        answer(source, folder)
    os.close(held)
    assert answer(source, folder) == 1


def test_a_stream_cannot_be_read_again(tmp_path):
    with pytest.raises(UserError, match="takes a file"):
        Parts(str(tmp_path), "-", {})


def write_elsewhere(source, folder, done=None):
    """Writes the parts as processes of a cluster do, of which the second one comes first; returns
    how many rows have no answer."""
    prediction = Prediction(Lengths(), RowReader("text", rows=2))
    folder = Parts(str(folder), str(source), {"model": "m"})

    def write(pieces):
        pieces = list(pieces)
        if done is not None:
            done.extend(piece.number for piece in pieces)
        written = {piece.number: folder.write_part(prediction, piece) for piece in pieces[::-1]}
        return (written[piece.number] for piece in pieces)

    return folder.answer_elsewhere(RowReader("text", 2), write)


def test_parts_that_others_write_are_the_same_and_bad_rows_are_reported(tmp_path, source, capsys):
    assert write_elsewhere(source, tmp_path / "out") == 1
    assert lines(tmp_path / "out") == WHOLE
    assert capsys.readouterr().err == "row 2: an empty text\n"
    # Somebody else goes on with them.
    assert answer(source, tmp_path / "out") == 1


def test_others_write_only_what_no_part_has(tmp_path, source):
    answer(source, tmp_path / "out")
    path, numbers = tmp_path / "out" / "parts.json", []
    state = json.loads(path.read_text())
    state.update(parts=state["parts"][:1], whole=False)
    path.write_text(json.dumps(state))
    assert write_elsewhere(source, tmp_path / "out", numbers) == 1
    assert (numbers, lines(tmp_path / "out")) == ([2, 3], WHOLE)


def test_the_reasons_of_bad_rows_stand_beside_their_part(tmp_path, source):
    source.write_text(source.read_text() + "   ,6\n")
    answer(source, tmp_path / "out")
    tables = {path.name: path.read_text() for path in (tmp_path / "out").glob("problems-*")}
    assert tables == {
        "problems-00001.csv": "row,problem\n2,an empty text\n",
        "problems-00003.csv": "row,problem\n6,an empty text\n",
    }
