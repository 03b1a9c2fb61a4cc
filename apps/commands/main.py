"""The command line of every application: its verbs and their options."""

import shlex
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from apps.commands import evaluate, export, predict, serve, train
from apps.commands.application import Application
from apps.config.parser import OneLineParser, new_parser
from apps.inspection import command as inspect
from apps.pretrained.names import NAME, shipped
from apps.search import command as search
from apps.terminal.errors import describe_error
from apps.terminal.program import describe_version, program_of
from apps.terminal.streams import abandon_output, prepare_streams
from apps.training.signals import Signals, Terminated
from data.errors import UserError
from data.messages import printable, show_details, show_messages

# Each is a module with `HELP`, `add_options` and `run`.
VERBS = {
    "inspect": inspect,
    "train": train,
    "search": search,
    "evaluate": evaluate,
    "predict": predict,
    "export": export,
    "serve": serve,
}
# What reads and writes no run.
WITHOUT_RUN = ("inspect", "search")


def main(application: Application, arguments: list[str] | None = None) -> None:
    """Runs the command line; exits with 2 and one line on whatever a user can cause.

    An exception that is none of these is a fault of the program: its traceback is shown, and the
    exit status is 1.
    """
    prepare_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    with show_messages(), one_line_errors(), Signals():
        options = _parse(application, arguments)
        with show_details() if options.pop("verbose") else nullcontext():
            VERBS[options.pop("verb")].run(application, options)
        # A full disk behind standard output shows only now.
        sys.stdout.flush()


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Ends the process with one line and an exit status on whatever a user can cause; with a
    traceback and 1 on a fault of the program."""
    try:
        yield
    except KeyboardInterrupt as stop:
        _fail(str(stop) or "interrupted", 130)
    except Terminated as stop:
        _fail(str(stop) or "terminated", stop.status)
    except BrokenPipeError:
        # Whoever read the output (head, less) has left; nothing more can be said there.
        abandon_output()
        sys.exit(1)
    except Exception as error:
        if line := describe_error(error):
            _fail(line, 2)
        traceback.print_exc()
        _fail("this is a fault of the program, not of its input. Report the lines above", 1)


def _fail(message: str, status: int) -> None:
    try:
        print("error: " + printable(" ".join(message.split())), file=sys.stderr)
        sys.stdout.flush()
    except OSError:
        pass
    abandon_output()
    sys.exit(status)


def _parse(application: Application, arguments: list[str]) -> dict:
    """Returns the verb, its options (for `train` those that were given) and the command as one
    line."""
    program = program_of(application.name)
    parser = new_parser(program, application.summary)
    add_verbs(parser, application, arguments)
    options = vars(parser.parse_args(arguments))
    if options["verb"] != "predict":
        _check_encoding(options)
    return {**options, "command": printable(shlex.join([*program.split(), *arguments]))}


def add_verbs(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the verbs of an application and their options to its parser.

    Args:
        parser: of the application.
        application: the application.
        arguments: of the command line; the defaults in the help follow its data set.
    """
    parser.refuses_unknown = True
    parser.add_argument(
        "--version", action="version", version=describe_version(), help="print the version"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, module in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            usage=f"{parser.prog} {name} [options]",
            formatter_class=parser.formatter_class,
        )
        verb.add_help_all()
        if name not in WITHOUT_RUN:
            verb.add_argument(
                "--run",
                metavar="DIR",
                default=f"runs/{application.name}",
                help=f"run folder{_shipped(application.name, name)} (default: %(default)s)",
            )
        verb.add_argument("--verbose", action="store_true", help="print details, too")
        module.add_options(verb, application, arguments)


def _shipped(application: str, verb: str) -> str:
    """Returns what the help of `--run` says of the model that ships."""
    ships = verb != "train" and application in shipped()
    return f"; {NAME}: the model that ships" if ships else ""


def _check_encoding(options: dict) -> None:
    """Refuses names that no `config.json` can hold, nor TensorFlow open.

    Raises:
        UserError: one is not UTF-8.
    """
    for name, value in options.items():
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                flag = f"--{name.replace('_', '-')}"
                raise UserError(f"{flag} {value} is not UTF-8. Rename the file or folder") from None
