"""The console command: `recurrent-text spam train ...`, and `python -m apps` for the same.

Unlike `python -m` a console command does not look for packages in the working folder, where a
user's own `models` or `data` would hide those of the suite.
"""

import sys

from apps.catalog import NAMES, find_application
from apps.commands import main as command
from apps.config.parser import OneLineParser, new_parser
from apps.reports import runs_command
from apps.server import command as serve_command
from apps.terminal.program import CONSOLE, called_as, describe_version
from apps.terminal.streams import prepare_streams
from data.messages import show_messages

_SUMMARY = "Train, evaluate, use and export recurrent networks for text."
# Commands in place of an application.
COMMANDS = {"runs": runs_command, "serve": serve_command}
_SHELLS = ("bash", "zsh")


def main(arguments: list[str] | None = None, prefix: str = CONSOLE) -> None:
    """Runs an application's command line; exits as that does, with one line on a mistake.

    Args:
        arguments: of the command line, the name of an application first; None: those of the
            process.
        prefix: what stands before that name where messages show commands.
    """
    prepare_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    with called_as(prefix), show_messages(), command.one_line_errors():
        if arguments and arguments[0] in COMMANDS:
            name = arguments[0]
            COMMANDS[name].run(arguments[1:], f"{prefix}{name}")
            sys.stdout.flush()
            return
        if arguments and not arguments[0].startswith("-"):
            command.main(find_application(arguments[0]), arguments[1:])
            return
        parser = _parser(prefix.strip())
        if shell := parser.parse_args(arguments).print_completion:
            print(_completion(shell))
        else:
            print(parser.format_help(), end="")
        sys.stdout.flush()


def _parser(program: str) -> OneLineParser:
    """Returns the parser of what stands before an application, or without one; its help lists
    them."""
    width = max(map(len, NAMES))
    lines = [f"  {name:{width}}  {find_application(name).summary}" for name in NAMES]
    parser = new_parser(program, _SUMMARY)
    parser.usage = f"{program} APPLICATION VERB [options]"
    parser.epilog = "\n".join(
        [
            "applications:",
            *lines,
            "",
            "verbs:",
            *(f"  {name:{width}}  {verb.HELP}" for name, verb in command.VERBS.items()),
            "",
            "for all applications:",
            *(f"  {name:{width}}  {module.SUMMARY}" for name, module in COMMANDS.items()),
            "",
            f"{program} spam --help lists the verbs of an application,",
            f"{program} spam train --help the options of a verb.",
        ]
    )
    parser.refuses_unknown = True
    parser.add_argument(
        "--version", action="version", version=describe_version(), help="print the version"
    )
    parser.add_argument(
        "--print-completion",
        metavar="SHELL",
        choices=_SHELLS,
        help=f"print what makes a shell complete commands: {' or '.join(_SHELLS)}",
    )
    return parser


def _completion(shell: str) -> str:
    """Returns a script for a shell that completes applications, verbs, options and files."""
    import shtab

    parser = new_parser(CONSOLE.strip(), _SUMMARY)
    names = parser.add_subparsers(metavar="APPLICATION")
    for name in NAMES:
        application = find_application(name)
        own = names.add_parser(
            name, help=application.summary, formatter_class=parser.formatter_class
        )
        command.add_verbs(own, application, [])
    for name, module in COMMANDS.items():
        own = names.add_parser(name, help=module.SUMMARY, formatter_class=parser.formatter_class)
        module.add_options(own)
    _complete_files(parser)
    return shtab.complete(parser, shell)


def _complete_files(parser: OneLineParser) -> None:
    """Lets every value without choices that may be a path be completed as one."""
    import shtab

    for action in parser._actions:
        if isinstance(action.choices, dict):
            for inner in action.choices.values():
                _complete_files(inner)
        elif action.metavar in ("FILE", "DIR", "RUN", "TEXT", "[NAME=]DIR") and not action.choices:
            kind = shtab.FILE if action.metavar in ("FILE", "TEXT") else shtab.DIRECTORY
            action.complete = kind  # type: ignore[attr-defined]  # shtab's way


if __name__ == "__main__":
    main(prefix="python -m apps ")
