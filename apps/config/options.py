"""Options as the fields of frozen dataclasses: their bounds, and files of them."""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from data.errors import UserError, did_you_mean
from data.files.json_files import read_json


@dataclasses.dataclass(frozen=True)
class Options:
    """A group of options; a frozen dataclass of `option`s derives from it.

    Attributes:
        title: of the group in `--help-all`; the same title in another class joins the groups.
        main: names of the options that `--help` shows; empty for all.
    """

    title: ClassVar[str] = "options"
    main: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Refuses options that exclude each other, and files that are not there, before anything
        slow is imported.

        Raises:
            UserError: they do, or are not.
        """


OptionsType = TypeVar("OptionsType", bound=Options)


def option(
    default: Any,
    help: str,
    choices: Iterable[Any] = (),
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    none: bool = False,
) -> Any:
    """Returns a dataclass field with what the command line needs to know.

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


def redefault(config_class: type[Options], name: str, default: Any, help: str = "") -> Any:
    """Returns an option of another class with another default, and with another help if given.

    Args:
        config_class: the class that has the option.
        name: of the option.
        default: the new default.
        help: a line for `--help`; empty for that of the class.
    """
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    metadata = dict(fields[name].metadata)
    return dataclasses.field(
        default=default, metadata={**metadata, "help": help or metadata["help"]}
    )


def names_in(config_class: type[Options], group: type[Options]) -> tuple[str, ...]:
    """Returns the names of the options that come from a group or from one that derives from it."""
    names = (field.name for field in dataclasses.fields(config_class))
    return tuple(name for name in names if issubclass(group_of(config_class, name), group))


def group_of(config_class: type[Options], name: str) -> type[Options]:
    """Returns the class that an option comes from, not one that restates its default."""
    return next(
        each
        for each in reversed(config_class.__mro__)
        if issubclass(each, Options) and name in vars(each).get("__annotations__", {})
    )


# Options by their former names, which command lines, files of options and older runs may have.
FORMER_NAMES = {"unit": "tokenizer"}

# TensorFlow counts in 32 bits.
_LARGEST_INTEGER = 2**31 - 1
_BOUNDS: dict[str, tuple[Callable[[Any, float], bool], str]] = {
    "at_least": (lambda value, bound: value >= bound, "at least"),
    "at_most": (lambda value, bound: value <= bound, "at most"),
    "below": (lambda value, bound: value < bound, "below"),
}


def type_of(field: dataclasses.Field) -> tuple[type, bool]:
    """The type of one value, and whether there are several: int, str | None, tuple[str, ...]."""
    kind: Any = field.type
    if isinstance(kind, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    return kind, False


def own_options(options_class: type[OptionsType], given: dict[str, Any]) -> OptionsType:
    """Returns what of the options given belongs to the class, as an instance.

    Raises:
        UserError: as `override`.
    """
    names = {field.name for field in dataclasses.fields(options_class)}
    return override(options_class(), {name: given[name] for name in names & given.keys()})


# Options that every config had once and some have no longer, since their tasks do not read them:
# runs and files of options may hold them still.
DROPPED = (
    "batch_tokens",  # of language models
    "bidirectional",  # of language models
    "devices",  # of language models
    "freeze_vectors",  # of language models and translators
    "vectors",  # of language models and translators
)


def without_dropped(config_class: type[Options], stored: dict[str, Any]) -> dict[str, Any]:
    """Returns options from a file without those that the class no longer has."""
    names = {field.name for field in dataclasses.fields(config_class)}
    return {name: value for name, value in stored.items() if name in names or name not in DROPPED}


def override(defaults: OptionsType, given: dict[str, Any]) -> OptionsType:
    """`defaults` with the options that were given.

    Raises:
        UserError: an unknown option, a value of another type, or one out of its bounds.
    """
    fields = {field.name: field for field in dataclasses.fields(defaults)}
    values = {}
    for name, value in with_present_names(given).items():
        if name not in fields:
            raise UserError(
                f"unknown option {name!r}. Known: {', '.join(fields)}{did_you_mean(name, fields)}"
            )
        values[name] = _checked(fields[name], value)
    return dataclasses.replace(defaults, **values)


def with_present_names(given: dict[str, Any]) -> dict[str, Any]:
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


def _checked(field: dataclasses.Field, value: Any) -> Any:
    kind, many = type_of(field)
    flag = "--" + field.name.replace("_", "-")
    if value is None and type(None) in typing.get_args(field.type):
        return None
    if many and isinstance(value, list | tuple) and (value or not field.default):
        return tuple(_checked_one(flag, field, kind, part) for part in value)
    return _checked_one(flag, field, kind, value)


def _checked_one(flag: str, field: dataclasses.Field, kind: type, value: Any) -> Any:
    if kind is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) is not kind:
        raise UserError(f"{flag} takes {kind.__name__}. Received: {value!r}")
    if kind is float and not math.isfinite(typing.cast(float, value)):
        raise UserError(f"{flag} must be finite. Received: {value}")
    choices = field.metadata["choices"]
    if choices and value not in choices:
        raise UserError(
            f"unknown {flag} {value!r}. Choose one of: {', '.join(choices)}"
            f"{did_you_mean(value, choices)}"
        )
    bounds = field.metadata["bounds"]
    if kind is int and not bounds.keys() & {"at_most", "below"}:
        bounds = {**bounds, "at_most": _LARGEST_INTEGER}
    for name, bound in bounds.items():
        holds, words = _BOUNDS[name]
        if not holds(value, bound):
            raise UserError(f"{flag} must be {words} {bound}. Received: {value}")
    return value


def to_json(config: Options) -> dict[str, Any]:
    """Returns the config's fields as JSON values."""
    return dataclasses.asdict(config)


def from_file(path: str) -> dict[str, Any]:
    """Returns the options in a JSON file: an object of them, or a run's `config.json`.

    Raises:
        UserError: no such file, or something else in it.
    """
    values = read_json(Path(path), "Check --config", "Check --config")
    if isinstance(values, dict) and isinstance(values.get("config"), dict):
        values = values["config"]
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no object of options. Check --config")
    return with_present_names(values)
