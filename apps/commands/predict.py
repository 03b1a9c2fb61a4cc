"""`predict`: answers texts, or the rows of a file, through the serving model."""

import functools
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

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

HELP = "answer texts"


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    own = application.options_class("predict")
    assert issubclass(own, PredictOptions)
    *some, last = own.formats
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="texts to answer; without any, a terminal asks for them, line by line",
    )
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
    from apps.serving.files import WINDOW, Prediction, check_files, column_of

    own.check_output(output)
    check_files(source, output, own.suffixes())
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
    column = config.text_column
    if source:
        # A column may have the empty name.
        given = options["text_column"]
        column = given if given is not None else column_of(source) or column
    answering = own.answering(task)
    writer = _opener(own, source, output, column, answering)
    output = own.place(output)
    if source or output:
        prediction = Prediction(answering, column, writer, own.rows or WINDOW)
        if source:
            bad = prediction.answer_file(source, output or STANDARD_STREAM)
        else:
            assert output is not None
            bad = prediction.answer_texts(texts, output)
        if bad:
            warn(f"{bad} row(s) were left without an answer")
    else:
        _print_answers(answering, _read_lines() if asks else texts)
    if isinstance(answering, Summarizing) and (source or output):
        warn(answering.summary())


def _opener(
    own: PredictOptions, source: str | None, output: str | None, column: str, answering: Any
) -> Callable:
    """Returns what opens the output, see `PredictOptions.writer`."""
    from apps.serving.files import is_subtitled
    from data.formats.subtitles import subtitle_writer

    if is_subtitled(output, own.suffixes()):
        caption = own.caption(answering)
        return functools.partial(subtitle_writer, column=column, caption=caption)
    return own.writer(source, column, answering)


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
