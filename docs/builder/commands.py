"""The reference of the commands: a page per application, and one of the commands for all of them,
from the parsers that they use.

The parser is made from the classes of options. It does not know their bounds: the classes do.
"""

import argparse
import dataclasses
import re
from collections.abc import Iterator

from apps import catalog
from apps.__main__ import COMMANDS
from apps.commands.application import Application
from apps.commands.main import VERBS, add_verbs
from apps.config.parser import new_parser
from builder.places import Build

_HEAD = "| option | value | default | what |\n|---|---|---|---|\n"
_KINDS = {int: "whole number", float: "number", "FILE": "file", "DIR": "folder", "NAME": "name"}
_DEFAULT = re.compile(r"\s*\(default: (.*)\)$")


def write_command_pages(build: Build) -> list[str]:
    """Writes the pages and returns their places."""
    return [*(_write_application(build, name) for name in catalog.NAMES), _write_common(build)]


def _write_common(build: Build) -> str:
    place = "reference/commands/all_applications.md"
    parts = ["# for all applications", "Commands that take runs of any application."]
    for name, module in COMMANDS.items():
        parser = new_parser(f"recurrent-text {name}", module.SUMMARY)
        module.add_options(parser)
        parts += [f"## {name}", f"`recurrent-text {name}`: {module.SUMMARY}"]
        parts += _tables(parser, {})
    build.write_page(place, "\n\n".join(parts) + "\n")
    return place


def _write_application(build: Build, name: str) -> str:
    application = catalog.find_application(name)
    parser = new_parser(f"recurrent-text {name}", application.summary)
    add_verbs(parser, application, [])
    verbs = next(action.choices for action in parser._actions if action.dest == "verb")
    place = f"reference/commands/{name}.md"
    parts = [f"# {name}", application.summary]
    for verb, module in VERBS.items():
        parts += [f"## {verb}", f"`recurrent-text {name} {verb}`: {module.HELP}."]
        parts += _tables(verbs[verb], _bounds_of(application))
        if verb == "train" and application.recipes:
            parts += ["### recipes", _recipes(application)]
    build.write_page(place, "\n\n".join(parts) + "\n")
    return place


def _tables(parser: argparse.ArgumentParser, bounds: dict[str, str]) -> Iterator[str]:
    """Yields the options of a verb, a table per group."""
    for group in parser._action_groups:
        rows = [
            _row(action, bounds)
            for action in group._group_actions
            if action.dest not in ("help", "help_all") and action.help != argparse.SUPPRESS
        ]
        if rows:
            yield f"### {group.title}"
            yield _HEAD + "\n".join(rows)


def _bounds_of(application: Application) -> dict[str, str]:
    """Returns the bounds of options by name, such as `at least 1`."""
    classes = [application.config, *map(application.options_class, ("evaluate", "predict"))]
    return {
        field.name: ", ".join(
            f"{name.replace('_', ' ')} {bound:g}"
            for name, bound in field.metadata["bounds"].items()
        )
        for each in classes
        for field in dataclasses.fields(each)
    }


def _row(action: argparse.Action, bounds: dict[str, str]) -> str:
    flags = ", ".join(f"`{flag}`" for flag in action.option_strings) or f"`{action.metavar}`"
    if action.choices:
        value = ", ".join(f"`{choice}`" for choice in action.choices)
    else:
        kind = _KINDS.get(action.type or action.metavar, "text")
        value = "" if action.nargs == 0 else kind
    value = ", ".join(filter(None, [value, bounds.get(action.dest, "")]))
    if action.nargs in ("*", "+"):
        value += ", several"
    text = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    default = _DEFAULT.search(text)
    cells = (flags, value, f"`{default[1]}`" if default else "", _DEFAULT.sub("", text))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _recipes(application: Application) -> str:
    head = "What a data set changes of these defaults, as `--dataset NAME --help-all` shows it.\n\n"
    head += "| data set | options |\n|---|---|\n"
    return head + "\n".join(
        f"| `{name}` | {_words(recipe)} |" for name, recipe in application.recipes.items()
    )


def _words(recipe: dict) -> str:
    """Returns a recipe as options of the command line."""
    words = []
    for name, value in recipe.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, tuple | list):
            words.append(f"--{flag} {' '.join(map(str, value))}")
        else:
            words.append(f"--{flag} {value}")
    return ", ".join(f"`{word}`" for word in words) or "none"
