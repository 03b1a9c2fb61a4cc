"""`predict`: answers texts, or the rows of a file, through the serving model."""

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

from apps.cluster import connection
from apps.commands.application import Application
from apps.commands.prediction.loader import Loader
from apps.config.options import own_options
from apps.config.parser import OneLineParser, add_fields
from apps.config.verbs import ENGINES, PredictOptions, WorkerOptions
from apps.serving.answering import Answering, Direct, Illustrating, Summarizing
from apps.tasks.task import Interactive
from data.errors import UserError
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
        "name of the input; FOLDER/: numbered parts of one large file, which an interrupted "
        "command goes on with",
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
    add_fields(parser, WorkerOptions, WorkerOptions())
    add_fields(parser, own, own())


def run(application: Application, options: dict) -> None:
    """Answers texts on the terminal or into a file."""
    files = application.read_run(options["run"])
    config = application.config_of(files)
    texts, source, output = options["texts"], options["input"], options["output"]
    own: PredictOptions = application.options_of("predict", options)
    asks = not (texts or source or output or own.runs_without_text) and sys.stdin.isatty()
    if bool(texts) == bool(source) and (source or not (own.runs_without_text or asks)):
        raise UserError("predict takes either texts or --input FILE. See predict --help")
    from apps.commands.prediction.file_answers import (
        FileAnswers,
        find_parts,
        opener,
        write_in_cluster,
    )
    from apps.serving.answers import batch_answerer, window_answerer
    from apps.serving.files import Prediction, check_files
    from apps.serving.jobs import answer_all_files, find_jobs, is_many
    from apps.serving.rows import RowReader

    sharing = own_options(WorkerOptions, options)
    _check_workers(sharing, source, own)
    texts = own.inputs(texts)
    jobs = find_jobs(source, output, own) if source else []
    # A column may have the empty name.
    given = options["text_column"]
    parts = find_parts(files.description, source, output, own, given)
    if sharing.cluster is not None:
        if parts is None:
            raise UserError(
                "--cluster writes parts into a folder that all machines see. Pass --output FOLDER/"
            )
        connection.check_installed("predict --cluster")
    own.check_output(parts.path(1) if parts else output)
    own.check_recordings(job.source for job in jobs)
    for job in jobs:
        place = parts.path(1) if parts else job.output
        check_files(job.source, place, own.suffixes(), job.own.page_file)
    if not source:
        check_files(source, output, own.suffixes(), own.page_file)
    loader = Loader(application, files.run.path, files.description, own, options["engine"])
    if sharing.cluster is not None:
        file = FileAnswers(config, given, parts, jobs[0])
        _tell(write_in_cluster(loader, file, sharing.workers, sharing.cluster))
        return
    pool: Any = nullcontext()
    if sharing.workers > 1:
        from apps.serving.workers import Workers

        pool = Workers(loader, sharing.workers)
    # They load the model while this process does.
    with pool:
        task = loader.load(files, announced=asks)
        del files  # a large model shall be in memory once
        if own.converses and not source:
            task.converse(texts)
            return
        if isinstance(task, Interactive) and not (source or output or asks):
            task.run_interactively(texts)
            return
        answering = own.answering(task)
        place = own.place(output)
        if source:
            answer_windows = (
                pool.answer_windows
                if sharing.workers > 1
                else window_answerer(batch_answerer(answering))
            )

            def answer(job: "Job") -> None:
                _tell(FileAnswers(config, given, parts, job).write(answering, answer_windows))

            if is_many(source):
                answer_all_files(jobs, answer)
            else:
                answer(jobs[0])
        elif place:
            writer = opener(own, None, place, config.text_column, answering)
            _tell(
                Prediction(answering, RowReader(config.text_column), writer).answer_texts(
                    texts, place
                )
            )
        else:
            _print_answers(answering, _read_lines() if asks else texts)
        if isinstance(answering, Summarizing) and (source or place):
            warn(answering.summary())


def _check_workers(sharing: WorkerOptions, source: str | None, own: PredictOptions) -> None:
    """Refuses several processes where one answers.

    Raises:
        UserError: it does.
    """
    option = "--cluster" if sharing.cluster is not None else "--workers"
    if sharing.cluster is None and sharing.workers == 1:
        return
    if not source:
        raise UserError(f"{option} divides the rows of a file. Pass --input FILE, or leave it out")
    if own.needs_one_process:
        raise UserError(f"{own.needs_one_process}. Leave {option} out")


def _tell(bad: int) -> None:
    if bad:
        warn(f"{bad} row(s) were left without an answer")


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
