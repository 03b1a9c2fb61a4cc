"""Command lines made from classes of options.

argparse, for two reasons: tyro, which reads dataclasses too, needs twice as long before it prints
`--help`, and reports an error in a box of six lines and more, which no script and no log can use.
What it does better, the nearest name of an unknown option, is done here.
"""

import argparse
import dataclasses
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from apps.config.options import FORMER_NAMES, Options, group_of, type_of
from data.errors import did_you_mean
from data.messages import printable


class OneLineParser(argparse.ArgumentParser):
    """argparse whose errors are one line and exit status 2, and whose `--help` leaves rarely used
    options to `--help-all`."""

    def __init__(self, **kwargs: Any) -> None:
        # Abbreviations would change their meaning when an option is added.
        super().__init__(allow_abbrev=False, **kwargs)
        self.refuses_unknown = False
        self._rare: list[argparse.Action] = []
        self._groups: dict[str, argparse._ArgumentGroup] = {}

    def error(self, message: str) -> NoReturn:
        text = printable(" ".join(message.split()))
        # A question has its mark already.
        end = "" if text.endswith("?") else "."
        print(f"error: {text}{end} See {self.prog} --help", file=sys.stderr)
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuses what is no choice, with the nearest one; argparse calls it for each value."""
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(
                action,
                f"invalid choice: {value!r} (choose from {', '.join(choices)})"
                f"{did_you_mean(value, choices)}",
            )

    def parse_known_args(  # type: ignore[override]  # argparse has overloads
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parses a command line; the parser of a verb refuses what it does not know itself, since
        the one above it has another help."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and self.refuses_unknown:
            flag = next((each for each in unknown if each.startswith("-")), "").partition("=")[0]
            near = did_you_mean(flag.lstrip("-"), self._shown_names()).replace("mean ", "mean --")
            self.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
        return found, unknown

    def _shown_names(self) -> list[str]:
        """Returns the names of all options that are not hidden, without dashes."""
        return [
            flag.removeprefix("--")
            for action in self._actions
            for flag in action.option_strings
            if flag.startswith("--") and action.help is not argparse.SUPPRESS
        ]

    def add_help_all(self) -> None:
        """Makes this the parser of a verb: it has `--help-all` and refuses unknown options."""
        self.refuses_unknown = True
        self.add_argument(
            "--help-all",
            action=_HelpAll,
            nargs=0,
            default=argparse.SUPPRESS,
            help="show all options, in groups, and exit",
        )

    def group(self, title: str) -> argparse._ActionsContainer:
        """Returns the group of this title, a new one if there is none."""
        if title == "options":  # as argparse calls those without a group
            return self
        if title not in self._groups:
            self._groups[title] = self.add_argument_group(title)
        return self._groups[title]

    def leave_to_help_all(self, *actions: argparse.Action) -> None:
        """Shows these options by `--help-all` alone."""
        self._rare += actions

    def format_help(self) -> str:
        """Formats the options that most people set, without groups."""
        if not self._rare:
            return self.format_all_help()
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        common = [action for action in self._actions if action not in self._rare]
        for title, flagged in (("positional arguments", False), ("options", True)):
            formatter.start_section(title)
            formatter.add_arguments(a for a in common if bool(a.option_strings) == flagged)
            formatter.end_section()
        return formatter.format_help()

    def format_all_help(self) -> str:
        """Formats all options, in their groups."""
        return super().format_help()


class _HelpAll(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        assert isinstance(parser, OneLineParser)
        print(parser.format_all_help(), end="")
        parser.exit()


# Columns of a help that nobody reads on a terminal, and the most on one.
_WIDTH = 100


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        is_terminal = sys.stdout is not None and sys.stdout.isatty()
        columns = shutil.get_terminal_size().columns if is_terminal else _WIDTH
        super().__init__(prog, max_help_position=32, width=min(columns, _WIDTH))


def new_parser(prog: str, description: str) -> OneLineParser:
    """Returns a parser in the house's format."""
    return OneLineParser(prog=prog, description=description, formatter_class=_Formatter)


def add_fields(
    parser: OneLineParser,
    config_class: type[Options],
    defaults: Options | None = None,
    only: tuple[str, ...] = (),
) -> None:
    """Adds one option a field, `--field-name`.

    Args:
        parser: gets the options; it leaves out those that are not given. Those
            that `config_class.main` does not name are shown by `--help-all` alone.
        config_class: a dataclass whose fields are `option`s.
        defaults: an instance whose values the help shows as defaults, or None.
        only: names of the fields wanted; those that the class lacks are passed over. Empty: all.
    """
    for field in dataclasses.fields(config_class):
        if only and field.name not in only:
            continue
        group = parser.group(group_of(config_class, field.name).title)
        default = getattr(defaults, field.name, None)
        help = field.metadata["help"].replace("%", "%%")
        flag = "--" + field.name.replace("_", "-")
        kind, many = type_of(field)
        settings: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS}
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
            group.add_argument("--" + former.replace("_", "-"), help=argparse.SUPPRESS, **settings)
        shown = _shown(default)
        default_text = f" (default: {shown})" if shown else ""
        action = group.add_argument(flag, help=help + default_text, **settings)
        if config_class.main and field.name not in config_class.main:
            parser.leave_to_help_all(action)


def _or_none(kind: type) -> Callable[[str], Any]:
    """Returns what reads a value or `none`."""

    def read(text: str) -> Any:
        return None if text == "none" else kind(text)

    # argparse says "invalid float value".
    read.__name__ = kind.__name__
    return read


def _metavar(kind: type, field: dataclasses.Field) -> str:
    if field.metadata["choices"]:
        return "{" + ",".join(map(str, field.metadata["choices"])) + "}"
    return {int: "N", float: "X"}.get(kind, "TEXT")


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "" if default is None else str(default)
