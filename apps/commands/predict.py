"""`predict`: answers texts, or the rows of a file, through the serving model."""

import functools
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.parser import OneLineParser, add_fields
from apps.config.verbs import ENGINES, PredictOptions
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.serving.answering import Answering, Direct, Illustrating, Summarizing
from apps.tasks.portable import OnnxEngine, find_engine
from apps.tasks.task import Configurable, Interactive
from data.errors import UserError
from data.formats.suffixes import STANDARD_STREAM
from data.messages import printable, say, warn

if TYPE_CHECKING:
    from apps.serving.jobs import Job

HELP = "answer texts"


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    own = application.options_class("predict")
    assert issubclass(own, PredictOptions)
    *some, last = own.formats
    parser.add_argument("texts", nargs="*", metavar=own.texts_name, help=own.texts_help)
    parser.add_argument(
        "--input",
        metavar="FILE",
        help=own.input_help,
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help=f".{', .'.join(some)} or .{last}; -: standard output; {{name}} stands for the "
        "name of the input",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what computes: the run's ONNX form, without TensorFlow, or TensorFlow (default: the "
        "form, where the run has one)",
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
    asks = not (texts or source or output or own.runs_without_text) and sys.stdin.isatty()
    if bool(texts) == bool(source) and (source or not (own.runs_without_text or asks)):
        raise UserError("predict takes either texts or --input FILE. See predict --help")
    from apps.serving.files import Prediction, check_files
    from apps.serving.jobs import find_jobs, is_many

    own.check_output(output)
    texts = own.inputs(texts)
    jobs = find_jobs(source, output, own) if source else []
    own.check_recordings(job.source for job in jobs)
    for job in jobs:
        check_files(job.source, job.output, own.suffixes(), job.own.page_file)
    if not source:
        check_files(source, output, own.suffixes(), own.page_file)
    task: Any = _find_engine(files, own, options["engine"])
    if task is None:
        import_tensorflow(announced=asks)
        task = application.load(files, config)
    del files  # a large model shall be in memory once
    if isinstance(task, Configurable):
        task.set_options(own)
    if isinstance(task, Interactive) and not (source or output or asks):
        task.run_interactively(texts)
        return
    answering = own.answering(task)
    place = own.place(output)
    if source:
        # A column may have the empty name.
        given = options["text_column"]
        column = config.text_column if given is None else given
        _answer_files(jobs, answering, column, given, is_many(source))
    elif place:
        writer = _opener(own, None, place, config.text_column, answering)
        _tell(Prediction(answering, config.text_column, writer).answer_texts(texts, place))
    else:
        _print_answers(answering, _read_lines() if asks else texts)
    if isinstance(answering, Summarizing) and (source or place):
        warn(answering.summary())


def _answer_files(
    jobs: Sequence["Job"], answering: Answering | Direct, column: str, given: str | None, many: bool
) -> None:
    """Answers the rows of files.

    Args:
        jobs: the files.
        answering: what answers.
        column: of the texts, where neither the format nor a person says which.
        given: the column that a person has chosen, or None.
        many: whether the input was a folder or a pattern; each file then has a line.
    """
    from apps.serving.answers import batch_answerer
    from apps.serving.files import WINDOW, Prediction, column_of
    from apps.serving.jobs import answer_all_files

    answer_batch = batch_answerer(answering)

    def answer_file(job: "Job") -> None:
        place = job.own.place(job.output)
        of_texts = column if given is not None else column_of(job.source) or column
        writer = _opener(job.own, job.source, place, of_texts, answering)
        rows = job.own.rows or WINDOW
        heard = job.own.transcription()
        prediction = Prediction(answering, of_texts, writer, rows, answer_batch, heard)
        _tell(prediction.answer_file(job.source, place or STANDARD_STREAM))

    if many:
        answer_all_files(jobs, answer_file)
    else:
        answer_file(jobs[0])


def _tell(bad: int) -> None:
    if bad:
        warn(f"{bad} row(s) were left without an answer")


def _opener(
    own: PredictOptions, source: str | None, output: str | None, column: str, answering: Any
) -> Callable:
    """Returns what opens the output, with a page beside it if there is one; the arguments are those
    of `PredictOptions.writer`."""
    from apps.serving.files import beside, is_subtitled
    from data.formats.subtitles import subtitle_writer

    if is_subtitled(output, own.suffixes()):
        caption = own.caption(answering)
        writer: Callable = functools.partial(subtitle_writer, column=column, caption=caption)
    else:
        writer = own.writer(source, column, answering)
    page = own.page(source, column, answering) if source else None
    if page is None:
        return writer
    # With a page alone nothing is written to standard output.
    return functools.partial(beside, open_output=writer, page=page) if output else lambda _: page


def _find_engine(files: RunFiles, own: PredictOptions, wanted: str) -> OnnxEngine | None:
    """Returns the engine of a run's ONNX form; None if TensorFlow shall answer.

    Raises:
        UserError: `onnx` is wanted and cannot be had.
    """
    if not own.needs_task:
        return find_engine(files, wanted)
    if wanted == "onnx":
        raise UserError("--explain looks into the network, which takes TensorFlow. Leave --engine")
    return None


def _read_lines() -> Iterator[str]:
    """Yields what a person types, line by line, until the end of the input."""
    # With it, `input` remembers and edits lines.
    with suppress(ImportError):
        importlib.import_module("readline")
    say("a text a line; Ctrl-D to end")
    while True:
        try:
            line = input("> ")
        except EOFError:
            print()
            return
        if line.strip():
            yield line


def _print_answers(answering: Answering | Direct, texts: Iterable[str]) -> None:
    """Prints the answers to texts: those to a list when all are there, to typed lines one by
    one."""
    from apps.serving.answers import answer_all, batch_answerer

    answer = batch_answerer(answering)
    # The texts of a list are one batch.
    batches = [texts] if isinstance(texts, list) else ([text] for text in texts)
    number = 0
    for batch in batches:
        for text, (row, problem) in zip(batch, answer_all(answering, batch, answer), strict=True):
            number += 1
            if problem:
                warn(f"text {number}: {problem}")
                continue
            lines = [answering.format_answer(text, row)]
            if isinstance(answering, Illustrating):
                picture = answering.draw_answer(row, number)
                lines += [f"  {printable(picture)}"] if picture else []
            print("\n".join(lines))
