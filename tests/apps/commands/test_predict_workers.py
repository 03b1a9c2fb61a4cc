"""`predict` with several processes, and into a folder of parts."""

import pickle

import pytest

TEXTS = ["text,n", *(f"you are a lovely person {n},{n}" for n in range(9)), ",9", "scum,10"]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("\n".join(TEXTS) + "\n")
    return path


def test_two_processes_and_parts_answer_as_one_process_does(
    command, tmp_path, source, trained_once
):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    common = ["predict", "--run", trained_once[0], "--engine", "onnx", "--input", source]
    one = command(*common, "--output", tmp_path / "one.csv")
    two = command(*common, "--output", tmp_path / "two.csv", "--workers", "2")
    parts = command(*common, "--output", f"{tmp_path}/out/")
    warned = "row 10: an empty text\n1 row(s) were left without an answer\n"
    assert one == two == parts == (0, "", warned)
    text = (tmp_path / "one.csv").read_text()
    assert (tmp_path / "two.csv").read_text() == text
    assert (tmp_path / "out" / "part-00001.csv").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--workers", "2", "a text"], "--workers divides the rows of a file"),
        (["--workers", "0", "a text"], "--workers must be at least 1. Received: 0"),
        (["--workers", "2", "--explain", "--input", "IN"], "Leave --workers out"),
        (["--input", "IN", "--output", "new/", "--report", "r.html"], "--report is one file"),
        (["--input", "-", "--output", "new/"], "new/ is a folder, which takes a file"),
        (["--input", "IN", "--output", "new/", "--explain"], "--explain writes .html or .jsonl"),
    ],
)
def test_what_cannot_be_divided_is_refused(command, trained_once, source, arguments, line):
    arguments = [str(source) if each == "IN" else each for each in arguments]
    answer = command("predict", "--run", trained_once[0], *arguments)
    assert answer.status == 2 and line in answer.err and answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["a text"], "--cluster divides the rows of a file. Pass --input FILE, or leave it out"),
        (["--input", "IN"], "into a folder that all machines see. Pass --output FOLDER/"),
        (["--input", "IN", "--explain", "--output", "new/"], "Leave --cluster out"),
    ],
)
def test_what_a_cluster_cannot_answer_is_refused(command, trained_once, source, arguments, line):
    arguments = [str(source) if each == "IN" else each for each in arguments]
    answer = command("predict", "--cluster", "auto", "--run", trained_once[0], *arguments)
    assert answer.status == 2 and line in answer.err and answer.err.count("\n") == 1


def test_processes_of_a_cluster_answer_as_one_process_does(
    command, tmp_path, source, trained_once, monkeypatch
):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    common = ["predict", "--run", trained_once[0], "--engine", "onnx", "--input", source]
    assert command(*common, "--output", f"{tmp_path}/here/").status == 0
    asked = []

    def work_in_actors(load, pieces, workers, address):
        asked.append((workers, address))
        # As it goes to another process.
        return map(pickle.loads(pickle.dumps(load))(), pieces)

    monkeypatch.setattr("apps.cluster.actors.work_in_actors", work_in_actors)
    monkeypatch.setattr("apps.cluster.connection.check_installed", lambda wanted: None)
    answer = command(
        *common, "--output", f"{tmp_path}/there/", "--cluster", "auto", "--workers", "2"
    )
    warned = "row 10: an empty text\n1 row(s) were left without an answer\n"
    assert (answer, asked) == ((0, "", warned), [(2, "auto")])
    for name in ("part-00001.csv", "problems-00001.csv"):
        assert (tmp_path / "there" / name).read_text() == (tmp_path / "here" / name).read_text()
