"""The command line of every application: its verbs and their options."""

import shlex
import sys

from apps.application import DATA_OPTIONS, Application
from apps.bias_options import add_bias_options
from apps.options import add_options, new_parser
from apps.signals import Terminated
from apps.verbs import VERBS
from data.errors import UserError


def main(application: Application, arguments: list[str] | None = None) -> None:
    """Runs the command line; exits with 2 and one line on a user's mistake."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = _parse(application, arguments)
        VERBS[options.pop("verb")](application, options)
    except UserError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt as stop:
        _fail(str(stop) or "interrupted", 130)
    except Terminated as stop:
        _fail(str(stop), 143)
    except BrokenPipeError:
        # Whoever read the output (head, less) has left; nothing more can be said there.
        sys.stderr.close()
        sys.exit(1)


def _fail(message: str, status: int) -> None:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(status)


def _parse(application: Application, arguments: list[str]) -> dict:
    """The verb, its options (for `train` those that were given) and the command as one line."""
    prog = f"python -m apps.{application.name}"
    parser = new_parser(prog, application.summary)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (help, add) in _OPTIONS.items():
        verb = verbs.add_parser(
            name, help=help, description=help, formatter_class=parser.formatter_class
        )
        verb.add_argument(
            "--run",
            metavar="DIR",
            default=f"runs/{application.name}",
            help="the run folder (default: %(default)s)",
        )
        add(verb, application, arguments)
    options = vars(parser.parse_args(arguments))
    return {**options, "command": shlex.join([*prog.split(), *arguments])}


def _add_train(parser, application: Application, arguments: list[str]) -> None:
    parser.add_argument(
        "--config", metavar="FILE", help="options from a JSON file, such as a run's config.json"
    )
    unfinished = parser.add_mutually_exclusive_group()
    unfinished.add_argument(
        "--resume", action="store_true", help="go on with an interrupted training, its options kept"
    )
    unfinished.add_argument(
        "--restart", action="store_true", help="discard an interrupted training and begin anew"
    )
    unfinished.add_argument(
        "--find-lr", action="store_true", help="train nothing, but suggest a learning rate"
    )
    add_options(parser, application.config, application.recipe(_dataset_in(arguments)))


def _dataset_in(arguments: list[str]) -> str:
    """The data set on a command line, before it is parsed: the defaults in the help follow it."""
    scout = new_parser("", "")
    scout.add_argument("--dataset", default="sample", nargs="?")
    scout.error = lambda message: None
    return vars(scout.parse_known_args([a for a in arguments if a not in ("-h", "--help")])[0])[
        "dataset"
    ]


def _add_evaluate(parser, application: Application, arguments: list[str]) -> None:
    add_options(parser, application.config, only=DATA_OPTIONS)
    parser.add_argument(
        "--split",
        default="test",
        choices=("train", "validation", "test", "all"),
        help="which examples (default: %(default)s)",
    )
    parser.add_argument(
        "--baseline", action="store_true", help="train and evaluate linear models beside it"
    )
    if application.config.classifies:
        add_bias_options(parser)


def _add_predict(parser, application: Application, arguments: list[str]) -> None:
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts to answer")
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="a table (.csv, .tsv, .jsonl, .parquet), texts (.txt) or a transcript (.srt, .vtt); "
        "-: standard input",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help=f"{_suffixes(application)}; -: standard output",
    )
    parser.add_argument(
        "--text-column", metavar="TEXT", help="column of the input (default: as in training)"
    )
    if application.config.classifies:
        parser.add_argument(
            "--explain",
            action="store_true",
            help="also tell what each word adds; with --output .html or .jsonl",
        )
    if application.formats:
        parser.add_argument(
            "--format",
            choices=application.formats,
            help="of the output (default: as the suffix of --output)",
        )
    _add_own(parser, application.predict_options)


def _add_own(parser, options: type | None) -> None:
    """Options of one application alone."""
    if options is not None:
        add_options(parser, options, options())


def _suffixes(application: Application) -> str:
    *some, last = application.formats or ("csv", "tsv", "jsonl", "parquet")
    return f".{', .'.join(some)} or .{last}"


def _add_export(parser, application: Application, arguments: list[str]) -> None:
    parser.add_argument(
        "--output",
        metavar="DIR",
        default=f"exported/{application.name}",
        help="the SavedModel's folder (default: %(default)s)",
    )
    _add_own(parser, application.export_options)


_OPTIONS = {
    "train": ("train a model", _add_train),
    "evaluate": ("measure a trained model on labelled examples", _add_evaluate),
    "predict": ("answer texts", _add_predict),
    "export": ("write a SavedModel that takes raw strings", _add_export),
}
