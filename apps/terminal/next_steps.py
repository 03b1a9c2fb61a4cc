"""What a training leaves, and the commands that come after it."""

import textwrap
from pathlib import Path

from apps.terminal.program import command_line


def describe_pictures(run: Path) -> str:
    """Returns the names of the pictures of a run, in lines of 80 columns; empty if there are
    none."""
    names = ", ".join(sorted(path.name for path in run.glob("*.png")))
    return textwrap.fill(f"pictures: {names}", 80, subsequent_indent="  ") if names else ""


def describe_next_steps(application: str, run: Path) -> str:
    """Returns the three commands that use a trained model, a line each."""
    options = ("--run", run)
    answered = "photo.jpg" if application == "captioning" else "Your own text"
    commands = [
        command_line(application, "evaluate", *options),
        command_line(application, "predict", *options, answered),
        command_line(application, "export", *options),
    ]
    return "next:\n" + "\n".join(f"  {command}" for command in commands)
