import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apps.runs.folder import RunFolder
from apps.runs.unfinished import UnfinishedTraining
from data.errors import UserError

DESCRIPTION = {"format": 1, "application": "hate_speech", "config": {}, "checksum": "abc"}


@pytest.fixture
def run(tmp_path):
    """The smallest thing that counts as a run."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"weights")
    (folder / "config.json").write_text(json.dumps(DESCRIPTION))
    return RunFolder(folder)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_run_says_what_its_configuration_says(run):
    assert run.describe().to_json() == DESCRIPTION


@pytest.mark.parametrize("name", ["config.json", "model.keras"])
def test_a_folder_that_lacks_a_part_holds_no_run(run, name):
    (run.path / name).unlink()
    with pytest.raises(UserError, match=r"no trained model in .*run. Train one first"):
        run.describe()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '"format"', "null", "{}", "\udcff", "[" * 988, "[" * 10**6, "1" * 5000],
)
def test_a_damaged_configuration_is_refused(run, content):
    (run.path / "config.json").write_text(content, errors="surrogateescape")
    with pytest.raises(UserError, match=r"is damaged or of another program. Train again"):
        run.describe()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("application", ["spam"]),
        ("config", []),
        ("checksum", 7),
        ("class_names", "ab"),
        ("class_names", [1]),
        ("class_names", ["\ud800"]),
        ("class_names", None),
        ("decision", []),
        ("refit_epochs", "2"),
        ("devices", "cpu"),
        ("training_seconds", "1"),
    ],
)
def test_values_of_another_type_are_refused(run, name, value):
    (run.path / "config.json").write_text(json.dumps({**DESCRIPTION, name: value}))
    with pytest.raises(UserError, match=r"is damaged or of another program. Train again"):
        run.describe()


def test_a_description_of_more_than_16_mib_is_not_parsed(run):
    content = json.dumps({**DESCRIPTION, "devices": ["x" * 2**24]})
    (run.path / "config.json").write_text(content)
    with pytest.raises(UserError, match=r"is damaged or of another program. Train again"):
        run.describe()


def test_a_name_that_is_too_long_is_no_damage(tmp_path):
    with pytest.raises(UserError, match=r"^cannot read .*nn: File name too long. Check --run"):
        RunFolder(tmp_path / ("n" * 300)).describe()


def test_a_missing_permission_is_no_damage(run, monkeypatch):
    """Root may read everything: the system's answer is played."""

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(UserError, match=r"^cannot read .*: Permission denied. Check --run and"):
        run.describe()
    (run.path / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"^cannot read .*metrics.json: Permission denied. Check"):
        run.add_metrics("test", {})


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_refused(run, number):
    (run.path / "config.json").write_text(json.dumps({"format": number}))
    with pytest.raises(UserError, match=f"has format {number!r}, expected 1. Train again"):
        run.describe()


def test_a_run_an_empty_folder_and_nothing_may_be_trained_into(run, tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (run.path, tmp_path / "empty", tmp_path / "nothing"):
        RunFolder(path).check_replaceable()


def test_a_folder_with_other_files_is_not_trained_into(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"other files than a run: thesis.tex. Choose another"):
        RunFolder(tmp_path).check_replaceable()


def test_a_folder_that_holds_parts_of_a_run_alone_is_not_trained_into(tmp_path):
    (tmp_path / "logs").mkdir()
    with pytest.raises(UserError, match=r"other files than a run: logs. Choose another"):
        RunFolder(tmp_path).check_replaceable()


def test_a_file_is_not_trained_into(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(UserError, match=r"is a file. Choose another --run"):
        RunFolder(tmp_path / "run").check_replaceable()


OTHERS = ['{"name": "my web site"}', "not json", "[]", '{"format": 1, "application": "site"}']


@pytest.mark.parametrize("content", OTHERS)
def test_a_configuration_of_another_program_makes_no_run(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / "logs").mkdir()
    with pytest.raises(
        UserError,
        match=r"files than a run: config.json is damaged or of another program. Choose another",
    ):
        RunFolder(tmp_path).check_replaceable()


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("thesis.tex", "thesis.tex"),
        ("vocabulary-my-own.txt", "vocabulary-my-own.txt"),
        ("confusion_notes.png", "confusion_notes.png"),
        (".thesis.tex.partial-1", ".thesis.tex.partial-1"),
        (".metrics.json.partial-mine", ".metrics.json.partial-mine"),
        ("logs/notes.txt", "logs/notes.txt"),
        ("logs/mine/events.out.tfevents.1.host", "logs/mine"),
        ("seeds/notes", "seeds/notes"),
        ("seeds/3/logs/notes.txt", "seeds/3/logs/notes.txt"),
        ("refit/history.csv", "refit"),
    ],
)
def test_a_run_that_holds_a_users_file_is_not_trained_into(run, name, named):
    path = run.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with pytest.raises(UserError, match=f"holds other files than a run: {named}. Choose another"):
        run.check_replaceable()


@pytest.mark.parametrize("name", ["confusion_test.png", "metrics.json", "tokenizer.json"])
@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("config.json")])
def test_a_folder_or_a_link_with_the_name_of_a_file_is_not_the_suites(run, name, make):
    make(run.path / name)
    with pytest.raises(UserError, match=f"other files than a run: {name}"):
        run.check_replaceable()


def test_all_that_a_training_and_an_evaluation_write_is_the_runs(run):
    names = ["history.csv", "refit_history.csv", "metrics.json", "vocabulary.txt", "characters.txt"]
    names += ["tokenizer.json", "source_tokenizer.json", "target_tokenizer.json"]
    names += ["units.json", "source_units.json", "target_units.json"]
    names += ["training_curves.png"]
    names += ["gradient_norms.csv", "gradient_norms.png", "confusion_validation.png"]
    names += ["bias_my_posts.csv_test.png", "reliability_all.png", "bleu_by_length_train.png"]
    names += [f"logs/{part}/events.out.tfevents.1.host" for part in ("train", "validation")]
    names += ["logs/gradients/events.out.tfevents.1.host", ".metrics.json.partial-999"]
    names += [f"seeds/10/{name}" for name in (*names, "config.json", "model.keras")]
    for name in names:
        path = run.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    run.check_replaceable()


def test_a_mount_point_is_refused_before_a_training_rather_than_after_it(run, monkeypatch):
    monkeypatch.setattr(Path, "is_mount", lambda path: path == run.path)
    with pytest.raises(UserError, match=r"run is a mount point. Choose a folder below it"):
        run.check_replaceable()


def test_the_folder_above_one_that_is_not_there_is_found(run):
    path = run.path.parent / "not there" / ".." / "run"
    assert not path.exists()
    assert RunFolder(path).describe().to_json() == DESCRIPTION
    assert RunFolder(path).path == UnfinishedTraining(path).run == run.path


def test_a_run_of_several_seeds_has_their_runs(run):
    assert run.members() == {}
    for name in ("10", "9", ".8.training", "notes"):
        (run.path / "seeds" / name).mkdir(parents=True)
    members = run.members()
    assert list(members) == [9, 10]
    assert members[10].path == run.path / "seeds" / "10"


@pytest.mark.parametrize("name", ["thesis.tex", "3/thesis.tex"])
def test_a_users_file_among_the_seeds_is_not_trained_over(run, name):
    (run.path / "seeds" / "3").mkdir(parents=True)
    (run.path / "seeds" / "3" / "config.json").touch()
    run.check_replaceable()
    (run.path / "seeds" / name).touch()
    with pytest.raises(UserError, match=f"other files than a run: seeds/{name}"):
        run.check_replaceable()


def test_the_figures_of_other_splits_stay(run):
    run.add_metrics("validation", {"accuracy": 0.5})
    run.add_metrics("test", {"accuracy": 0.25})
    run.add_metrics("validation", {"accuracy": 0.75})
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics == {"validation": {"accuracy": 0.75}, "test": {"accuracy": 0.25}}


ADD_METRICS = """
import sys
from pathlib import Path
from apps.runs.folder import RunFolder

for number in range(100):
    RunFolder(Path(sys.argv[1])).add_metrics(f"{sys.argv[2]}{number}", {"accuracy": 0.5})
"""


def test_what_several_processes_measure_at_once_stays(run):
    commands = [[sys.executable, "-c", ADD_METRICS, str(run.path), name] for name in "abc"]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics.keys() == {f"{name}{number}" for name in "abc" for number in range(100)}
    assert files(run.path) == ["config.json", "metrics.json", "model.keras"]


def test_a_held_run_waits_until_it_is_left(run):
    """And what took its place meanwhile is what is written into."""
    with ThreadPoolExecutor() as pool:
        with run.locked():
            adding = pool.submit(run.add_metrics, "test", {"accuracy": 0.5})
            with pytest.raises(TimeoutError):
                adding.result(0.2)
            run.path.rename(run.path.with_name("former"))
            shutil.copytree(run.path.with_name("former"), run.path)
        adding.result(60)
    assert not (run.path.with_name("former") / "metrics.json").exists()
    assert run.read_metrics("test") == {"accuracy": 0.5}


@pytest.mark.parametrize("content", ["{}", '{"test": 1}', '{"test": ["accuracy"]}', "[]"])
def test_metrics_without_the_figures_of_a_split_are_damaged(run, content):
    (run.path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=r"metrics.json is damaged or of another program"):
        run.read_metrics("test")


@pytest.mark.parametrize("content", ["{", "[]", "[" * 988])
def test_damaged_metrics_are_refused(run, content):
    (run.path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=r"metrics.json is damaged"):
        run.add_metrics("test", {})
    assert (run.path / "metrics.json").read_text() == content


def test_json_keeps_the_letters_of_every_language(run):
    run.write_json("x.json", {"класс": "愛"})
    assert "愛" in (run.path / "x.json").read_text(encoding="utf-8")


def test_the_history_is_read_as_numbers(run):
    (run.path / "history.csv").write_text("epoch,loss,val_f1\n0,1.5,\n1,1.25,0.5\n")
    assert run.history() == [{"epoch": 0, "loss": 1.5}, {"epoch": 1, "loss": 1.25, "val_f1": 0.5}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a\nx\n", "could not convert string to float: 'x'"),
        (b"a,b\n1,2,3\n", "a row has more columns than the first"),
        (b"a\n\xff\n", "can't decode byte 0xff"),
        (b'a\n"1\n', "unexpected end of data"),
    ],
)
def test_a_damaged_history_is_one_line(run, content, reason):
    (run.path / "history.csv").write_bytes(content)
    with pytest.raises(UserError, match=rf"^.*history.csv is damaged: .*{reason}.*Train again$"):
        run.history()


def test_a_run_may_be_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunFolder(Path(".")).check_replaceable()
