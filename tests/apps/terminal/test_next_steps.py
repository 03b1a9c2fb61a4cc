from pathlib import Path

from apps.terminal.next_steps import describe_next_steps, describe_pictures
from apps.terminal.program import CONSOLE, called_as, command_line


def test_the_next_commands_can_be_pasted_as_the_user_calls_them():
    with called_as(CONSOLE):
        assert describe_next_steps("spam", Path("runs/my posts")).splitlines() == [
            "next:",
            "  recurrent-text spam evaluate --run 'runs/my posts'",
            "  recurrent-text spam predict --run 'runs/my posts' 'Your own text'",
            "  recurrent-text spam export --run 'runs/my posts'",
        ]
    assert command_line("ner", "train") == "python -m apps.ner train"


def test_pictures_are_named_if_there_are_any(tmp_path):
    assert describe_pictures(tmp_path) == ""
    for name in ("b.png", "a.png", "c.csv"):
        (tmp_path / name).touch()
    assert describe_pictures(tmp_path) == "pictures: a.png, b.png"
