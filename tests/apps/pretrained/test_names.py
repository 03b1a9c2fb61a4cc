"""The names of the trained models that ship, without TensorFlow."""

from pathlib import Path

import pytest

from apps import spam, summarization
from apps.commands import main, train
from apps.config.options import override
from apps.pretrained.names import FOLDER, find_run, is_shipped, shipped
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from data.errors import UserError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_pretrained_is_the_model_of_the_application_and_a_name_below_it_that_of_another():
    assert find_run("pretrained", "spam") == FOLDER / "spam"
    assert find_run("pretrained/ner", "spam") == FOLDER / "ner"
    assert find_run(Path("pretrained/ner")) == FOLDER / "ner"


@pytest.mark.parametrize("run", ["runs/spam", "runs/pretrained", "pretrained/spam/seeds/0"])
def test_other_names_are_folders(run):
    assert find_run(run, "spam") == Path(run)


def test_a_run_of_that_name_in_the_working_folder_comes_first(tmp_path):
    (tmp_path / "pretrained").mkdir()
    assert find_run("pretrained", "spam") == FOLDER / "spam"
    (tmp_path / "pretrained" / "config.json").touch()
    assert find_run("pretrained", "spam") == Path("pretrained")


@pytest.mark.parametrize(
    ("run", "application", "message"),
    [
        ("pretrained", "summarization", "no trained model ships for 'summarization', but for"),
        ("pretrained/span", "", "Did you mean spam?"),
        ("pretrained", "", "which model that ships? Name it: pretrained/chat, pretrained/hate"),
    ],
)
def test_where_no_model_ships_the_error_names_those_that_do(run, application, message):
    with pytest.raises(UserError, match=message.replace("?", r"\?")):
        find_run(run, application)


def test_without_a_run_the_error_names_the_model_that_ships():
    with pytest.raises(UserError, match=r"runs/spam. Train .*\. One ships: --run pretrained$"):
        spam.APPLICATION.read_run("runs/spam")
    with pytest.raises(UserError, match=r"check --run$"):
        summarization.APPLICATION.read_run("runs/summarization")


def test_a_wrong_run_is_said_to_be_of_the_option_that_names_it():
    with pytest.raises(UserError, match=r"no trained model in x/y\. .* or check --teacher$"):
        read_run(RunFolder(Path("x/y"), "--teacher"))


@pytest.mark.parametrize("name", shipped())
def test_what_ships_is_whole_and_small(name):
    files = read_run(RunFolder(FOLDER / name))
    assert files.description.application == name
    assert {"metrics.json", "README.md"} < {path.name for path in (FOLDER / name).iterdir()}
    assert is_shipped(files.run.path)
    assert sum(path.stat().st_size for path in (FOLDER / name).iterdir()) < 5e6


def test_all_that_ships_has_less_than_25_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.glob("*/*")) < 25e6


def test_the_help_names_the_model_that_ships(capsys):
    for verb, names in (("predict", True), ("train", False)):
        with pytest.raises(SystemExit):
            main.main(spam.APPLICATION, [verb, "--help"])
        assert ("pretrained: the model that ships" in capsys.readouterr().out) == names


def test_a_training_may_begin_with_it():
    given = {"init_from": "pretrained", "teacher": "pretrained/ner"}
    train.name_application(spam.APPLICATION, given)
    assert given == {"init_from": "pretrained/spam", "teacher": "pretrained/ner"}
    config = override(spam.APPLICATION.config(), given)
    assert find_run(config.init_from) == FOLDER / "spam"
