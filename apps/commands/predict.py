"""`predict`: answers texts, or the rows of a file, through the serving model."""

import functools
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.options import own_options, to_json
from apps.config.parser import OneLineParser, add_fields
from apps.config.training import TrainingConfig
from apps.config.verbs import ENGINES, PredictOptions, WorkerOptions
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.serving.answering import Answering, Direct, Illustrating, Summarizing
from apps.tasks.onnx_engine import OnnxEngine
from apps.tasks.portable import find_engine
from apps.tasks.task import Configurable, Interactive
from data.errors import UserError
from data.formats.suffixes import STANDARD_STREAM
from data.messages import printable, say, warn

if TYPE_CHECKING:
    from apps.serving.answers import AnswerBatch
    from apps.serving.files import AnswerWindows
    from apps.serving.jobs import Job
    from apps.serving.parts import Parts

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
    from apps.serving.answers import batch_answerer
    from apps.serving.files import Prediction, check_files, window_answerer
    from apps.serving.jobs import answer_all_files, find_jobs, is_many

    workers = own_options(WorkerOptions, options).workers
    _check_workers(workers, source, own)
    texts = own.inputs(texts)
    jobs = find_jobs(source, output, own) if source else []
    parts = _parts(files.description, source, output, own, options["text_column"])
    own.check_output(parts.path(1) if parts else output)
    own.check_recordings(job.source for job in jobs)
    for job in jobs:
        place = parts.path(1) if parts else job.output
        check_files(job.source, place, own.suffixes(), job.own.page_file)
    if not source:
        check_files(source, output, own.suffixes(), own.page_file)
    loader = Loader(application, files.run.path, files.description, own, options["engine"])
    pool: Any = nullcontext()
    if workers > 1:
        from apps.serving.workers import Workers

        pool = Workers(loader, workers)
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
            # A column may have the empty name.
            given = options["text_column"]
            answer_windows = (
                pool.answer_windows if workers > 1 else window_answerer(batch_answerer(answering))
            )
            answer = functools.partial(
                _answer_file, answering, config, given, answer_windows, parts
            )
            if is_many(source):
                answer_all_files(jobs, answer)
            else:
                answer(jobs[0])
        elif place:
            writer = _opener(own, None, place, config.text_column, answering)
            _tell(Prediction(answering, config.text_column, writer).answer_texts(texts, place))
        else:
            _print_answers(answering, _read_lines() if asks else texts)
        if isinstance(answering, Summarizing) and (source or place):
            warn(answering.summary())


@dataclass(frozen=True)
class Loader:
    """Loads what answers, in whatever process.

    Attributes:
        application: that of the run.
        run: the folder.
        description: of the run when the command began.
        own: the options of `predict`.
        engine: a name in `ENGINES`.
    """

    application: Application
    run: Path
    description: RunDescription
    own: PredictOptions
    engine: str

    def __call__(self) -> "AnswerBatch":
        """Returns what answers a batch of texts, in a process that was started for it.

        Raises:
            UserError: another training has replaced the run since the command began.
        """
        from apps.serving.answers import batch_answerer

        files = self.application.read_run(self.run)
        if files.description != self.description:
            raise UserError(f"another training has replaced {self.run}. Predict again")
        return batch_answerer(self.own.answering(self.load(files)))

    def load(self, files: RunFiles, announced: bool = False) -> Any:
        """Returns the trained task, or the engine of its ONNX form.

        Args:
            files: of the run.
            announced: whether a message says that TensorFlow is loaded.
        """
        config = self.application.config_of(files)
        task: Any = _find_engine(files, config, self.own, self.engine)
        if task is None:
            import_tensorflow(announced)
            task = self.application.load(files, config)
        if isinstance(task, Configurable):
            task.set_options(self.own)
        return task


def _check_workers(workers: int, source: str | None, own: PredictOptions) -> None:
    """Refuses several processes where one answers.

    Raises:
        UserError: it does.
    """
    if workers > 1 and not source:
        raise UserError("--workers divides the rows of a file. Pass --input FILE, or leave it out")
    if workers > 1 and own.needs_one_process:
        raise UserError(f"{own.needs_one_process}. Leave --workers out")


def _parts(
    description: RunDescription,
    source: str | None,
    output: str | None,
    own: PredictOptions,
    column: str | None,
) -> "Parts | None":
    """Returns the folder of parts that an output means, or None.

    Raises:
        UserError: an option writes one file beside it, or the input is no single file.
    """
    from apps.serving.parts import Parts, is_folder

    if source is None or output is None or not is_folder(output):
        return None
    for name, place in own.files().items():
        if place:
            raise UserError(
                f"--{name.replace('_', '-')} is one file, and --output {output} a folder of parts. "
                "Leave one of them out"
            )
    depends = {"model": description.fingerprint, "column": column, "options": to_json(own)}
    return Parts(output, source, depends)


def _answer_file(
    answering: Answering | Direct,
    config: TrainingConfig,
    given: str | None,
    answer_windows: "AnswerWindows",
    parts: "Parts | None",
    job: "Job",
) -> None:
    """Answers the rows of a file.

    Args:
        answering: what answers.
        config: of the training, with the column of the texts, where neither the format nor a person
            says which.
        given: the column that a person has chosen, or None.
        answer_windows: answers the texts.
        parts: the folder that is written, or None for a file.
        job: the file.
    """
    from apps.serving.files import WINDOW, Prediction, column_of

    place = parts.path(1) if parts else job.own.place(job.output)
    of_texts = given
    if of_texts is None:
        of_texts = column_of(job.source) or config.text_column
    writer = _opener(job.own, job.source, place, of_texts, answering)
    prediction = Prediction(
        answering,
        of_texts,
        writer,
        job.own.rows or WINDOW,
        answer_windows,
        job.own.transcription(),
        job.own.reader(config),
    )
    if parts:
        _tell(parts.answer(prediction))
    else:
        _tell(prediction.answer_file(job.source, place or STANDARD_STREAM))


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


def _find_engine(
    files: RunFiles, config: TrainingConfig, own: PredictOptions, wanted: str
) -> OnnxEngine | None:
    """Returns the engine of a run's ONNX form; None if TensorFlow shall answer.

    Raises:
        UserError: `onnx` is wanted and cannot be had.
    """
    if not own.needs_task:
        return find_engine(files, config, wanted)
    if wanted == "onnx":
        name = next(name for name in own.by_tensorflow if getattr(own, name))
        raise UserError(f"--{name} looks into the network, which takes TensorFlow. Leave --engine")
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
