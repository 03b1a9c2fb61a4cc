"""The options of one continuation, as a request may send them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from apps.server.errors import Refusal, unknown
from models.decoding.options import DecodingOptions


class Bounds(NamedTuple):
    """The type and the bounds of an option."""

    kind: type
    at_least: float
    at_most: float


# Names and defaults are those of `predict`.
OPTIONS = {
    "max_length": Bounds(int, 1, 2000),
    "temperature": Bounds(float, 0.0, 10.0),
    "top_k": Bounds(int, 0, 100_000),
    "top_p": Bounds(float, 0.0, 1.0),
    "seed": Bounds(int, 0, 2**31 - 1),
}


def default_of(name: str) -> Any:
    """Returns the default of an option."""
    return getattr(DecodingOptions, name)


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all options of a continuation, those that were not given with their defaults.

    Raises:
        Refusal: one is unknown, or out of its bounds.
    """
    for name in given:
        if name not in OPTIONS:
            raise unknown("option", name, OPTIONS, 422)
    found = {}
    for name, bounds in OPTIONS.items():
        value = given.get(name, default_of(name))
        right = isinstance(value, int if bounds.kind is int else (int, float))
        if not right or isinstance(value, bool) or not bounds.at_least <= value <= bounds.at_most:
            what = "a whole number" if bounds.kind is int else "a number"
            raise Refusal(
                422, f"options.{name} takes {what} from {bounds.at_least:g} to {bounds.at_most:g}"
            )
        found[name] = bounds.kind(value)
    return found
