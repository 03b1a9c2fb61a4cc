"""Trains a model from Python, as the command does."""

from pathlib import Path
from typing import Any

from apps.catalog import find_application
from apps.commands import train as command
from apps.config.options import Options, names_in
from apps.config.training import GroupOptions
from apps.python.keywords import check_names, from_keywords
from apps.python.loading import load
from apps.python.model import Model
from apps.terminal.errors import as_user_errors
from data.messages import show_messages

# What the command has besides the options of a training.
_FLAGS = ("resume", "restart", "overwrite")
_VALUES = ("config", "track", "tracking_uri", *names_in(GroupOptions, Options))


def train(
    application: str, run: str | Path | None = None, *, verbose: bool = False, **options: Any
) -> Model:
    """Trains a model and puts it into a run folder, as `recurrent-text APPLICATION train` does.

    >>> model = apps.train("hate_speech", dataset="more.csv", epochs=1, units=4, run="runs/more")
    >>> model
    Model('runs/more', application='hate_speech')

    Args:
        application: its name, see `apps.applications`.
        run: the folder; None: `runs/` and the name of the application.
        verbose: whether messages and progress are printed; without it nothing is.
        **options: those of the command: `dataset`, `epochs`, `learning_rate`, ...;
            `overwrite=True` replaces a run that is there, `resume=True` continues an interrupted
            training, `restart=True` discards it.

    Returns:
        The trained model.

    Raises:
        Error: there is no such application or option, the data cannot be used, or there is a run in
            the folder.
        KeyboardInterrupt: the training was interrupted; `resume=True` continues it.
    """
    record = find_application(application)
    given = from_keywords(options)
    flags = {name: bool(given.pop(name, False)) for name in _FLAGS}
    check_names(given, (*names_in(record.config, Options), *_FLAGS, *_VALUES))
    folder = Path(f"runs/{application}" if run is None else run)
    shown = "".join(f", {name}={value!r}" for name, value in {**given, "run": str(folder)}.items())
    line = f"apps.train({application!r}{shown})"
    request = {**given, **flags, "find_lr": False, "run": str(folder), "command": line}
    with as_user_errors():
        if verbose:
            with show_messages():
                command.run(record, request)
        else:
            command.run(record, request)
    return load(folder)
