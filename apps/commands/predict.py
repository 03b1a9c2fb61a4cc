"""`predict`: answers texts, or the rows of a file, through the serving model."""

from pathlib import Path

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.parser import OneLineParser, add_fields
from apps.config.verbs import PredictOptions
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.serving.answering import Answering, Illustrating, Summarizing
from apps.tasks.task import Configurable, Interactive
from data.errors import UserError
from data.formats.suffixes import STANDARD_STREAM
from data.messages import printable, warn

HELP = "answer texts"


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    own = application.options_class("predict")
    assert issubclass(own, PredictOptions)
    *some, last = own.formats
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
        help=f".{', .'.join(some)} or .{last}; -: standard output",
    )
    parser.add_argument(
        "--text-column", metavar="TEXT", help="column of the input (default: as in training)"
    )
    add_fields(parser, own, own())


def run(application: Application, options: dict) -> None:
    """Answers texts on the terminal or into a file."""
    files = read_run(RunFolder(Path(options["run"])))
    config = application.config_of(files)
    texts, source, output = options["texts"], options["input"], options["output"]
    own: PredictOptions = application.options_of("predict", options)
    if bool(texts) == bool(source) and (source or not own.runs_without_text):
        raise UserError("predict takes either texts or --input FILE. See predict --help")
    from apps.serving.files import WINDOW, Prediction, check_files, column_of

    own.check_output(output)
    check_files(source, output, own.suffixes())
    import_tensorflow()
    task = application.load(files, config)
    del files  # a large model shall be in memory once
    if isinstance(task, Configurable):
        task.set_options(own)
    if isinstance(task, Interactive) and not (source or output):
        task.run_interactively(texts)
        return
    column = config.text_column
    if source:
        # A column may have the empty name.
        given = options["text_column"]
        column = given if given is not None else column_of(source) or column
    answering = own.answering(task)
    writer = own.writer(source, column, answering)
    output = own.place(output)
    if source or output:
        prediction = Prediction(answering, column, writer, own.rows or WINDOW)
        if source:
            bad = prediction.answer_file(source, output or STANDARD_STREAM)
            if bad:
                warn(f"{bad} row(s) were left without an answer")
        else:
            assert output is not None
            prediction.answer_texts(texts, output)
    else:
        _print_answers(answering, texts)
    if isinstance(answering, Summarizing) and (source or output):
        warn(answering.summary())


def _print_answers(answering: Answering, texts: list[str]) -> None:
    from apps.serving.answers import answer

    for number, (text, row) in enumerate(zip(texts, answer(answering, texts), strict=True), 1):
        lines = [answering.format_answer(text, row)]
        if isinstance(answering, Illustrating) and (picture := answering.draw_answer(row, number)):
            lines.append(f"  {printable(picture)}")
        print("\n".join(lines))
