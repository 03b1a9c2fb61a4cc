"""The command line of every application: its verbs and their options."""

import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from apps.commands import evaluate, export, predict, train
from apps.commands.application import Application
from apps.commands.terminal import abandon_output, prepare_streams
from apps.config.parser import new_parser
from apps.training.signals import Signals, Terminated
from data.errors import UserError
from data.messages import printable, show_messages

# Each is a module with `HELP`, `add_options` and `run`.
VERBS = {"train": train, "evaluate": evaluate, "predict": predict, "export": export}


def main(application: Application, arguments: list[str] | None = None) -> None:
    """Runs the command line; exits with 2 and one line on whatever a user can cause.

    An exception that is none of these is a fault of the program: its traceback is shown, and the
    exit status is 1.
    """
    prepare_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    with show_messages(), _one_line_errors(), Signals():
        options = _parse(application, arguments)
        VERBS[options.pop("verb")].run(application, options)
        # A full disk behind standard output shows only now.
        sys.stdout.flush()


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt as stop:
        _fail(str(stop) or "interrupted", 130)
    except Terminated as stop:
        _fail(str(stop) or "terminated", stop.status)
    except BrokenPipeError:
        # Whoever read the output (head, less) has left; nothing more can be said there.
        abandon_output()
        sys.exit(1)
    except Exception as error:
        line = _in_one_line(error)
        if line:
            _fail(line, 2)
        traceback.print_exc()
        _fail("this is a fault of the program, not of its input. Report the lines above", 1)


def _in_one_line(error: Exception) -> str:
    """What the system or a reader reports of a user's files and options; empty for a fault of the
    program."""
    for kinds, describe in _OUTSIDE:
        if isinstance(error, kinds):
            return describe(error)
    # An error of TensorFlow means that it has been imported; this module must not import it.
    if errors := getattr(sys.modules.get("tensorflow"), "errors", None):
        for name, advice in _OF_TENSORFLOW.items():
            if isinstance(error, getattr(errors, name)):
                return f"{_first_line(error)}. {advice}"
    return ""


def _describe_os_error(error: OSError) -> str:
    reason = error.strerror or _first_line(error)
    name = f"{error.filename}: " if error.filename is not None else ""
    return f"{name}{reason}. Check the path, its permissions and the free space"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_NEEDS_LESS = "Lower --batch-size, --units or --embedding-dim"
_OUTSIDE: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (OSError, _describe_os_error),
    (MemoryError, lambda error: f"there is not enough memory. {_NEEDS_LESS}"),
    (RecursionError, lambda error: "the input is nested too deeply. Flatten it"),
    (UnicodeError, lambda error: f"a text cannot be converted: {error}. Save it as UTF-8"),
)
_OF_TENSORFLOW = {
    "ResourceExhaustedError": f"There is not enough memory or disk. {_NEEDS_LESS}",
    "DataLossError": "A file is damaged. Remove it, or make it again",
    "PermissionDeniedError": "Check the permissions of the folder",
    "NotFoundError": "Check the path",
}


def _fail(message: str, status: int) -> None:
    try:
        print("error: " + printable(" ".join(message.split())), file=sys.stderr)
        sys.stdout.flush()
    except OSError:
        pass
    abandon_output()
    sys.exit(status)


def _parse(application: Application, arguments: list[str]) -> dict:
    """The verb, its options (for `train` those that were given) and the command as one line."""
    prog = f"python -m apps.{application.name}"
    parser = new_parser(prog, application.summary)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, module in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            usage=f"{prog} {name} [options]",
            formatter_class=parser.formatter_class,
        )
        verb.add_help_all()
        verb.add_argument(
            "--run",
            metavar="DIR",
            default=f"runs/{application.name}",
            help="run folder (default: %(default)s)",
        )
        module.add_options(verb, application, arguments)
    options = vars(parser.parse_args(arguments))
    if options["verb"] != "predict":
        _check_encoding(options)
    return {**options, "command": printable(shlex.join([*prog.split(), *arguments]))}


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
