"""`serve`: answers over HTTP by the model of a run."""

import importlib

from apps.commands.application import Application
from apps.config.options import own_options
from apps.config.parser import OneLineParser, add_fields
from apps.config.serving import ServeOptions
from apps.pretrained.names import find_run

HELP = "answer over HTTP"


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    add_fields(parser, ServeOptions, ServeOptions())


def run(application: Application, options: dict) -> None:
    """Serves the model of the run under the name of the application."""
    run = find_run(options["run"], application.name)
    # A server answers for every application, and so it stands above them all.
    command = importlib.import_module("apps.server.command")
    command.serve([f"{application.name}={run}"], own_options(ServeOptions, options))
