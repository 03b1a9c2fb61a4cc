"""Command-line options made from the fields of a frozen dataclass, and files of them.

argparse, for two reasons: libraries that read dataclasses (tyro, simple-parsing) need 0.3 s and
more before they print `--help`, and report an error over several lines.
"""

import argparse
import dataclasses
import math
import sys
import types
import typing
from pathlib import Path

from data.errors import UserError
from data.files.json_files import read_json
from data.messages import printable


def option(
    default, help: str, choices: tuple = (), at_least=None, below=None, at_most=None, none=False
):
    """A dataclass field with what the command line needs to know.

    Args:
        default: the field's default, stated here and nowhere else.
        help: a line for `--help`.
        choices: the valid values, or none for any.
        at_least, at_most, below: bounds of a number; an integer without an upper one fits 32 bits.
        none: whether `none` undoes what a recipe sets.
    """
    bounds = {"at_least": at_least, "below": below, "at_most": at_most}
    bounds = {name: bound for name, bound in bounds.items() if bound is not None}
    metadata = {"help": help, "choices": tuple(choices), "bounds": bounds, "none": none}
    return dataclasses.field(default=default, metadata=metadata)


# Options by their former names, which command lines, files of options and older runs may have.
FORMER_NAMES = {"unit": "tokenizer"}

# TensorFlow counts in 32 bits.
_LARGEST_INTEGER = 2**31 - 1
_BOUNDS = {
    "at_least": (lambda value, bound: value >= bound, "at least"),
    "at_most": (lambda value, bound: value <= bound, "at most"),
    "below": (lambda value, bound: value < bound, "below"),
}


class OneLineParser(argparse.ArgumentParser):
    """argparse whose errors are one line and exit status 2."""

    def __init__(self, *args, **kwargs):
        # Abbreviations would change their meaning when an option is added.
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def error(self, message: str):
        print(
            f"error: {printable(' '.join(message.split()))}. See {self.prog} --help",
            file=sys.stderr,
        )
        sys.exit(2)


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog):
        super().__init__(prog, max_help_position=32, width=100)


def new_parser(prog: str, description: str) -> OneLineParser:
    """A parser in the house's format."""
    return OneLineParser(prog=prog, description=description, formatter_class=_Formatter)


def add_options(parser, config_class: type, defaults=None, only: tuple[str, ...] = ()) -> None:
    """Adds one option a field, `--field-name`.

    Args:
        parser: gets the options; it leaves out those that are not given.
        config_class: a dataclass whose fields are `option`s.
        defaults: an instance whose values the help shows as defaults, or None.
        only: names of the fields wanted; those that the class lacks are passed over. Empty: all.
    """
    for field in dataclasses.fields(config_class):
        if only and field.name not in only:
            continue
        default = getattr(defaults, field.name, None)
        help = field.metadata["help"].replace("%", "%%")
        flag = "--" + field.name.replace("_", "-")
        kind, many = _kind(field)
        settings = {"dest": field.name, "default": argparse.SUPPRESS}
        if kind is bool:
            settings["action"] = argparse.BooleanOptionalAction
        else:
            settings["type"] = _or_none(kind) if field.metadata["none"] else kind
            settings["metavar"] = _metavar(kind, field)
            if field.metadata["choices"]:
                settings["choices"] = field.metadata["choices"]
        if many:
            settings["nargs"] = "+"
        for former in (old for old, new in FORMER_NAMES.items() if new == field.name):
            parser.add_argument("--" + former.replace("_", "-"), help=argparse.SUPPRESS, **settings)
        shown = _shown(default)
        parser.add_argument(flag, help=help + (f" (default: {shown})" if shown else ""), **settings)


def _kind(field: dataclasses.Field) -> tuple[type, bool]:
    """The type of one value, and whether there are several: int, str | None, tuple[str, ...]."""
    kind = field.type
    if isinstance(kind, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    return kind, False


def _or_none(kind: type):
    """What reads a value or `none`."""

    def read(text: str):
        return None if text == "none" else kind(text)

    # argparse says "invalid float value".
    read.__name__ = kind.__name__
    return read


def _metavar(kind: type, field: dataclasses.Field) -> str:
    if field.metadata["choices"]:
        return "{" + ",".join(map(str, field.metadata["choices"])) + "}"
    return {int: "N", float: "X"}.get(kind, "TEXT")


def _shown(default) -> str:
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "" if default is None else str(default)


def own_options(options_class: type | None, given: dict):
    """What of the options given belongs to the class, as an instance; None without a class.

    Raises:
        UserError: as `override`.
    """
    if options_class is None:
        return None
    names = {field.name for field in dataclasses.fields(options_class)}
    return override(options_class(), {name: given[name] for name in names & given.keys()})


def override(defaults, given: dict):
    """`defaults` with the options that were given.

    Raises:
        UserError: an unknown option, a value of another type, or one out of its bounds.
    """
    fields = {field.name: field for field in dataclasses.fields(defaults)}
    values = {}
    for name, value in with_present_names(given).items():
        if name not in fields:
            raise UserError(f"unknown option {name!r}. Known: {', '.join(fields)}")
        values[name] = _checked(fields[name], value)
    return dataclasses.replace(defaults, **values)


def with_present_names(given: dict) -> dict:
    """Returns options by name, those with a former name under their present one.

    Raises:
        UserError: one option is given under both names.
    """
    for former, present in FORMER_NAMES.items():
        if former in given and present in given:
            raise UserError(
                f"{former!r} is the former name of {present!r}, and both are given. Leave one out"
            )
    return {FORMER_NAMES.get(name, name): value for name, value in given.items()}


def _checked(field: dataclasses.Field, value):
    kind, many = _kind(field)
    flag = "--" + field.name.replace("_", "-")
    if value is None and type(None) in typing.get_args(field.type):
        return None
    if many and isinstance(value, list | tuple) and (value or not field.default):
        return tuple(_checked_one(flag, field, kind, part) for part in value)
    return _checked_one(flag, field, kind, value)


def _checked_one(flag: str, field: dataclasses.Field, kind: type, value):
    if kind is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) is not kind:
        raise UserError(f"{flag} takes {kind.__name__}. Received: {value!r}")
    if kind is float and not math.isfinite(value):
        raise UserError(f"{flag} must be finite. Received: {value}")
    choices = field.metadata["choices"]
    if choices and value not in choices:
        raise UserError(f"unknown {flag} {value!r}. Choose one of: {', '.join(choices)}")
    bounds = field.metadata["bounds"]
    if kind is int and not bounds.keys() & {"at_most", "below"}:
        bounds = {**bounds, "at_most": _LARGEST_INTEGER}
    for name, bound in bounds.items():
        holds, words = _BOUNDS[name]
        if not holds(value, bound):
            raise UserError(f"{flag} must be {words} {bound}. Received: {value}")
    return value


def to_json(config) -> dict:
    """The config's fields as JSON values."""
    return dataclasses.asdict(config)


def from_file(path: str) -> dict:
    """The options in a JSON file: an object of them, or a run's `config.json`.

    Raises:
        UserError: no such file, or something else in it.
    """
    values = read_json(Path(path), "Check --config", "Check --config")
    if isinstance(values, dict) and isinstance(values.get("config"), dict):
        values = values["config"]
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no object of options. Check --config")
    return with_present_names(values)
