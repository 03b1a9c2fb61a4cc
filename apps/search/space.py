"""Spaces of options as files hold them, and as Optuna takes them."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.config.ensembles import SeedsOptions
from apps.config.groups import DataOptions
from apps.config.options import names_in, override
from apps.config.space import Range, Space
from apps.config.training import TrainingConfig
from data.errors import UserError, did_you_mean
from data.files.json_files import read_json

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_ADVICE = "Check --space"
_KEYS = {"low", "high", "log", "step"}


def read_space(path: Path, config: TrainingConfig) -> Space:
    """Reads a space from a JSON file: an object with, for each option, a list of values or an
    object with `low` and `high`, and `log` and `step` if wanted.

    Args:
        path: the file.
        config: the options that the trials begin with.

    Raises:
        UserError: it holds something else, an unknown option, or a value that is out of bounds.
    """
    stored = read_json(path, _ADVICE, _ADVICE)
    if not isinstance(stored, dict) or not stored:
        raise UserError(f"{path} holds no object of options. {_ADVICE}")
    space = {name: _read_dimension(path, name, value) for name, value in stored.items()}
    check_space(space, config)
    return space


def _read_dimension(path: Path, name: str, value: Any) -> Range | tuple:
    if isinstance(value, list) and value:
        return tuple(value)
    if isinstance(value, dict) and {"low", "high"} <= value.keys() <= _KEYS:
        numbers = [value["low"], value["high"], *filter(None, [value.get("step")])]
        if all(type(number) in (int, float) for number in numbers):
            return Range(
                value["low"], value["high"], bool(value.get("log", False)), value.get("step")
            )
    raise UserError(
        f"{path}: {name} is neither a list of values nor an object of low, high, log and step. "
        f"Received: {value!r}"
    )


def check_space(space: Space, config: TrainingConfig) -> None:
    """Refuses a space whose values the options would refuse.

    Raises:
        UserError: a value has another type or is out of its bounds, a range is empty, or the option
            says which data are read or which seed is taken: these must be equal for all trials.
    """
    names = [field.name for field in fields(config)]
    fixed = {
        *names_in(type(config), DataOptions),
        *names_in(type(config), SeedsOptions),
        *("seed", "monitor", "epochs", "patience"),
    }
    for name, dimension in space.items():
        if name not in names:
            raise UserError(f"no option {name!r} to search{did_you_mean(name, names)}. {_ADVICE}")
        if name in fixed:
            raise UserError(
                f"{name!r} must be the same in all trials. Leave it out of --space, and give it as "
                f"--{name.replace('_', '-')}"
            )
        values = dimension if isinstance(dimension, tuple) else (dimension.low, dimension.high)
        for value in values:
            override(config, {name: value})
        if isinstance(dimension, Range):
            _check_range(name, dimension)
        elif any(isinstance(value, list | tuple | dict) for value in values):
            raise UserError(f"{name!r} takes several values at once, which no search tries")


def _check_range(name: str, dimension: Range) -> None:
    if dimension.low >= dimension.high:
        raise UserError(
            f"the range of {name!r} is empty: {dimension.low} to {dimension.high}. {_ADVICE}"
        )
    if dimension.log and (dimension.low <= 0 or dimension.step):
        raise UserError(
            f"a range of {name!r} with log begins above 0 and has no step. Received: {dimension}"
        )
    if dimension.step is not None and dimension.step <= 0:
        raise UserError(f"the step of {name!r} must be above 0. Received: {dimension.step}")


def to_json(space: Space) -> dict[str, Any]:
    """Returns a space as a file holds it."""
    return {
        name: list(dimension) if isinstance(dimension, tuple) else _range_to_json(dimension)
        for name, dimension in space.items()
    }


def from_json(stored: dict[str, Any]) -> Space:
    """Returns the space that `to_json` has written."""
    return {
        name: tuple(value) if isinstance(value, list) else Range(**value)
        for name, value in stored.items()
    }


def _range_to_json(dimension: Range) -> dict[str, Any]:
    written: dict[str, Any] = {"low": dimension.low, "high": dimension.high}
    if dimension.log:
        written["log"] = True
    if dimension.step is not None:
        written["step"] = dimension.step
    return written


def to_distributions(space: Space, config: TrainingConfig) -> "dict[str, BaseDistribution]":
    """Returns a space as Optuna takes it.

    Args:
        space: that has been checked.
        config: tells whole numbers from others.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    found: dict[str, BaseDistribution] = {}
    for name, dimension in space.items():
        if isinstance(dimension, tuple):
            found[name] = CategoricalDistribution(dimension)
        elif isinstance(getattr(config, name), int):
            found[name] = IntDistribution(
                int(dimension.low), int(dimension.high), dimension.log, int(dimension.step or 1)
            )
        else:
            found[name] = FloatDistribution(
                float(dimension.low), float(dimension.high), dimension.log, dimension.step
            )
    return found


def holds(space: Space, config: TrainingConfig) -> bool:
    """Returns whether the options of a config lie in the space, so that they can be a trial."""
    for name, dimension in space.items():
        value = getattr(config, name)
        if isinstance(dimension, tuple):
            if value not in dimension:
                return False
        elif not isinstance(value, int | float) or not dimension.low <= value <= dimension.high:
            return False
    return True
