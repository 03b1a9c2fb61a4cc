"""The reference of the commands: a page per application, from its classes of options."""

import argparse
import dataclasses
from collections.abc import Iterator

from apps import catalog
from apps.commands.application import Application
from apps.commands.main import VERBS
from apps.config.options import Options, group_of, type_of
from apps.config.parser import new_parser
from builder.places import Build


def write_command_pages(build: Build) -> list[str]:
    """Writes the pages and returns their places."""
    return [_write_application(build, name) for name in catalog.NAMES]


def _write_application(build: Build, name: str) -> str:
    application = catalog.find_application(name)
    place = f"reference/commands/{name}.md"
    parts = [f"# {name}", application.summary]
    for verb, module in VERBS.items():
        parts += [f"## {verb}", f"`recurrent-text {name} {verb}`: {module.HELP}."]
        parts += _tables(application, verb)
    build.write_page(place, "\n\n".join(parts) + "\n")
    return place


def _tables(application: Application, verb: str) -> Iterator[str]:
    """Yields the options of a verb that come from classes, a table per group, and the recipes."""
    if verb == "train":
        options_class: type[Options] = application.config
        defaults: Options = application.recipe("sample")
    else:
        options_class = application.options_class(verb)
        defaults = options_class()
    rows = _own_rows(application, verb, {field.name for field in dataclasses.fields(options_class)})
    groups: dict[str, list[str]] = {"command": rows}
    for field in dataclasses.fields(options_class):
        title = group_of(options_class, field.name).title
        groups.setdefault(title, []).append(_row(field, getattr(defaults, field.name)))
    for title, rows in groups.items():
        head = "| option | value | default | what |\n|---|---|---|---|\n"
        yield f"### {title}"
        yield head + "\n".join(rows)
    if verb == "train" and application.recipes:
        yield "### recipes"
        yield "What a data set changes of these defaults, as `--dataset NAME --help-all` shows it."
        head = "| data set | options |\n|---|---|\n"
        yield head + "\n".join(
            f"| `{name}` | {_recipe(recipe)} |" for name, recipe in application.recipes.items()
        )


def _own_rows(application: Application, verb: str, names: set[str]) -> list[str]:
    """Returns the rows of what a verb takes besides the options of a class, such as texts."""
    parser = new_parser("", "")
    parser.add_argument("--run", metavar="DIR", help="run folder")
    VERBS[verb].add_options(parser, application, [])
    rows = []
    for action in parser._actions:
        if action.dest not in {*names, "help", "help_all"} and action.help != argparse.SUPPRESS:
            flags = ", ".join(f"`{flag}`" for flag in action.option_strings)
            value = "" if action.nargs == 0 else str(action.metavar or "text")
            text = (action.help or "").replace("%(default)s", str(action.default))
            rows.append(_cells(flags or f"`{action.metavar}`", value, "", text))
    return rows


def _row(field: dataclasses.Field, default: object) -> str:
    kind, many = type_of(field)
    flag = "--" + field.name.replace("_", "-")
    flags = f"`{flag}`, `--no-{flag[2:]}`" if kind is bool else f"`{flag}`"
    value = {int: "whole number", float: "number", bool: "", str: "text"}[kind]
    if field.metadata["choices"]:
        value = ", ".join(f"`{choice}`" for choice in field.metadata["choices"])
    bounds = [f"{name.replace('_', ' ')} {at}" for name, at in field.metadata["bounds"].items()]
    value = ", ".join(filter(None, [value, *bounds])) + (", several" if many else "")
    return _cells(flags, value, _shown(default), field.metadata["help"])


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(f"`{part}`" for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value in (None, "") else f"`{value}`"


def _recipe(recipe: dict) -> str:
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
