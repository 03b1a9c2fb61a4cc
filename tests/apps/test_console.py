"""The console command, and `python -m apps`: what they list, suggest and are robust against."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps import catalog
from apps.__main__ import main
from apps.commands.application import Application

ROOT = Path(__file__).parents[2]
# What pip makes of the entry point; its folder, not the working folder, is on the path.
SCRIPT = "from apps.__main__ import main\nmain()\n"


def console(capsys, *arguments):
    """Calls the console command in this process; returns status, output and errors."""
    capsys.readouterr()
    status = 0
    try:
        main([*arguments])
    except SystemExit as stop:
        status = stop.code
    return status, *capsys.readouterr()


def in_folder(folder, *command):
    """Runs a command in a folder; the suite is found as one that is installed."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_application_is_in_the_catalog():
    modules = {path.stem for path in (ROOT / "apps").glob("[a-z]*.py")}
    named = {name for name in modules if "APPLICATION = " in (ROOT / f"apps/{name}.py").read_text()}
    assert set(catalog.NAMES) == named
    for name in catalog.NAMES:
        application = catalog.find_application(name)
        assert isinstance(application, Application) and application.name == name


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_alone_it_lists_the_applications_and_verbs(capsys, arguments):
    status, out, err = console(capsys, *arguments)
    assert (status, err) == (0, "")
    assert "  spam             Classify short messages as spam or ham (wanted).\n" in out
    assert "  predict          answer texts\n" in out
    assert max(map(len, out.splitlines())) <= 100


def test_it_knows_its_version(capsys):
    assert console(capsys, "--version") == (0, "recurrent-text 0.1.0\n", "")
    assert console(capsys, "ner", "--version") == (0, "recurrent-text 0.1.0\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hatespeech"], "Did you mean hate_speech?"),
        (["--versio"], "unrecognized arguments: --versio. Did you mean --version?"),
        (["spam", "trian"], "Did you mean train? See recurrent-text spam --help\n"),
        (
            ["spam", "train", "--epoch", "3"],
            "unrecognized arguments: --epoch 3. Did you mean --epochs? "
            "See recurrent-text spam train --help\n",
        ),
        (["spam", "train", "--cell", "LSTMM"], "Did you mean lstm? See recurrent-text spam train"),
        (["spam", "train", "--dataset", "sms-spam"], "Did you mean sms_spam?"),
        (["spam", "train", "--recurrent-initializer", "orthogona"], "Did you mean orthogonal?"),
        (["spam", "train", "--zzz"], "unrecognized arguments: --zzz. See recurrent-text spam"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_gets_the_nearest_name_and_the_right_help(
    capsys, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    status, out, err = console(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1
    assert message in err


def test_commands_in_messages_are_called_as_the_user_called(capsys):
    assert "usage: recurrent-text spam train" in console(capsys, "spam", "train", "--help")[1]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_applications_verbs_options_and_choices(capsys, shell):
    status, out, err = console(capsys, "--print-completion", shell)
    assert (status, err) == (0, "")
    for word in (
        *("text_generation", "evaluate", "--recurrent-dropout", "peephole_lstm"),
        *("runs", "--compare", "serve", "--token-file"),
    ):
        assert word in out


@pytest.mark.parametrize("name", ["models", "data"])
def test_a_package_of_the_users_does_not_break_the_console_command(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('this is not the suite')")
    script = tmp_path / "bin" / "recurrent-text"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    done = in_folder(tmp_path, script, "spam", "train", "--epochs", "0")
    assert done.returncode == 2
    assert done.stderr == "error: --epochs must be at least 1. Received: 0\n"


@pytest.mark.parametrize("name", ["models/__init__.py", "data/__init__.py", "models.py"])
def test_python_m_says_in_one_line_which_package_hides_the_suites(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    done = in_folder(tmp_path, "-m", "apps.spam", "train", "--help")
    assert (done.returncode, done.stdout) == (2, "")
    found = path.parent if path.name == "__init__.py" else path
    assert done.stderr.startswith(f"error: {found} hides the package {found.stem!r} of ")
    assert done.stderr.count("\n") == 1
    imported = in_folder(tmp_path, "-c", "import apps")
    assert imported.returncode == 1 and f"ImportError: {found} hides" in imported.stderr


def test_a_folder_of_data_that_is_no_package_hides_nothing(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "posts.csv").touch()
    assert in_folder(tmp_path, "-m", "apps", "--version").stdout == "recurrent-text 0.1.0\n"


def test_nothing_of_it_waits_for_tensorflow(tmp_path):
    code = """
import sys
from apps.__main__ import main
try:
    main(sys.argv[1:])
finally:
    slow = {"tensorflow", "keras", "pandas", "sklearn", "matplotlib", "rich"} & sys.modules.keys()
    assert not slow, slow
"""
    for arguments in ([], ["--print-completion", "bash"], ["spam", "predict", "--help"]):
        done = in_folder(tmp_path, "-c", code, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
