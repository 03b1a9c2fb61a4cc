"""What `inspect`, `evaluate`, `predict` and `export` can do for every application; those of an
application add options, or answer and write in a way of their own."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from apps.config.options import Options, option
from apps.config.recordings import RecordingOptions, is_recording
from data.errors import UserError
from data.formats.record import Record
from data.formats.suffixes import ROW_SUFFIXES, STANDARD_STREAM, SUBTITLE_SUFFIXES
from data.transcription.options import Transcription

# What computes answers: ONNX where there is a form, else TensorFlow; or one of the two.
ENGINES = ("auto", "onnx", "tensorflow")


@dataclass(frozen=True)
class InspectOptions(Options):
    """Where `inspect` writes what it finds, besides the terminal."""

    title: ClassVar[str] = "output"

    html: str | None = option(None, "file of a page with bars and marked texts, too")
    json: bool = option(False, "findings as JSON instead of tables")


@dataclass(frozen=True)
class EvaluateOptions(Options):
    """What `evaluate` measures besides the metrics of the task: nothing."""

    title: ClassVar[str] = "further measurements"

    def measurement(self, description: Any) -> Any:
        """Returns the `apps.tasks.task.Measurement` that is asked for, or None.

        Args:
            description: of the run, an `apps.runs.description.RunDescription`.

        Raises:
            UserError: the model has no such measurement, or options that go together do not.
        """
        return None

    def explain_worst(self, task: Any, report: Any) -> list[Any]:
        """Returns explanations of the worst answers as sections of a page, of the class
        `apps.pages.parts.Section`; none unless asked for.

        Args:
            task: the trained task.
            report: of the split, what `task.evaluate` returned.
        """
        return []


@dataclass(frozen=True)
class WorkerOptions(Options):
    """Processes among which `predict` divides the texts of a file."""

    title: ClassVar[str] = "computation"

    workers: int = option(
        1, "processes that answer side by side, each with the model", at_least=1, at_most=256
    )
    cluster: str | None = option(
        None,
        "address of a Ray cluster whose machines answer, such as auto or 10.0.0.1:6379; with "
        "--output FOLDER/",
    )


@dataclass(frozen=True)
class PredictOptions(Options):
    """How `predict` writes answers: as tables."""

    title: ClassVar[str] = "output"
    # Suffixes of the files that it writes, without the dot.
    formats: ClassVar[tuple[str, ...]] = tuple(
        suffix.removeprefix(".") for suffix in (*ROW_SUFFIXES, *SUBTITLE_SUFFIXES)
    )
    # What is given to be answered, for `--help`.
    texts_help: ClassVar[str] = (
        "texts to answer; without any, a terminal asks for them, line by line"
    )
    texts_name: ClassVar[str] = "TEXT"
    input_help: ClassVar[str] = (
        "a table (.csv, .tsv, .jsonl, .parquet), texts (.txt), a transcript (.srt, .vtt) or a "
        "recording (.mp3, .mp4, ...); a folder or a pattern ('talks/*.mp3') of them; -: standard "
        "input"
    )
    # Names of the options that are files to write.
    file_options: ClassVar[tuple[str, ...]] = ()
    # Options that look into the network itself, which takes TensorFlow.
    by_tensorflow: ClassVar[tuple[str, ...]] = ()
    # Rows of an input that are in memory at once; 0: as many as suit a task that is fast.
    rows: ClassVar[int] = 0

    csv_safe: bool = option(
        False, "apostrophe before cells that a spreadsheet would run as formulas"
    )

    @property
    def needs_task(self) -> bool:
        """Whether these options need the trained task itself, not only its answers."""
        return any(getattr(self, name) for name in self.by_tensorflow)

    @property
    def needs_one_process(self) -> str:
        """Why several processes cannot answer as these options say, or the empty text."""
        return ""

    def files(self) -> dict[str, str | None]:
        """Returns the files that these options write besides the output, by option."""
        return {name: getattr(self, name) for name in self.file_options}

    def of_file(self, sign: str, name: str) -> Self:
        """Returns the options for one of several inputs.

        Args:
            sign: what stands for its name in the files that are written.
            name: of the input.
        """
        places = {key: place and place.replace(sign, name) for key, place in self.files().items()}
        return replace(self, **cast(Any, places))

    @property
    def page_file(self) -> str | None:
        """The file of a page of rows with a start and an end, or None."""
        return None

    @property
    def runs_without_text(self) -> bool:
        """Whether `predict` may be called without texts and without a file."""
        return False

    @property
    def converses(self) -> bool:
        """Whether `predict` has a dialogue on the terminal; the task is a
        `apps.tasks.task.Conversing`."""
        return False

    def reader(self, config: Any) -> Callable[[str], Iterator[Record]]:
        """Returns what reads the rows of a file, such as `data.formats.readers.read_records`.

        Args:
            config: the options of the trained task.
        """
        from data.formats.readers import read_records

        return read_records

    def inputs(self, texts: list[str]) -> list[str]:
        """Returns what is answered where these texts are given: they themselves."""
        return texts

    def check_output(self, output: str | None) -> None:
        """Refuses an output that these options cannot write.

        Args:
            output: a file, `-`, or None for the terminal.

        Raises:
            UserError: it has another format.
        """
        suffix = Path(output or STANDARD_STREAM).suffix.lower()
        if self.csv_safe and suffix not in (".csv", ".tsv"):
            raise UserError("--csv-safe is for --output FILE.csv or FILE.tsv. Leave it out")

    def check_recordings(self, sources: Iterable[str]) -> None:
        """Refuses recordings, which only an application of texts listens to.

        Args:
            sources: the files that are answered.

        Raises:
            UserError: one of them is a recording.
        """
        for source in filter(is_recording, sources):
            raise UserError(f"{source} is a recording, and no text is read here. Check --input")

    def transcription(self) -> Transcription | None:
        """Returns how recordings become texts; None where they do not."""
        return None

    def suffixes(self) -> Mapping[str, object]:
        """Returns a table with the suffixes that the output may have; an empty one for any."""
        return {f".{name}": name for name in self.formats}

    def place(self, output: str | None) -> str | None:
        """Returns where answers are written: a file, `-`, or None for the terminal."""
        return output

    def answering(self, task: Any) -> Any:
        """Returns what answers, an `apps.tasks.task.Answering`: the task, or what wraps it."""
        return task

    def writer(self, source: str | None, column: str, answering: Any) -> Callable:
        """Returns what opens an output, such as `data.formats.writers.record_writer`.

        Args:
            source: the file whose rows are answered, or None.
            column: of the rows' texts.
            answering: what answers.
        """
        from data.formats.writers import record_writer

        return functools.partial(record_writer, like=source, csv_safe=self.csv_safe)

    def page(self, source: str, column: str, answering: Any) -> AbstractContextManager | None:
        """Returns what makes a page of the answered rows of a file, besides the output: a context
        that yields what takes a row; None where no page is asked for.

        Args:
            source: the file.
            column: of the rows' texts.
            answering: what answers.
        """
        return None

    def caption(self, answering: Any) -> Callable[[str, dict], str]:
        """Returns what makes a subtitle of a text and the row with its answer: here the text, and
        below it the answer's columns.

        Args:
            answering: what answers.

        Raises:
            UserError: the options do not suit it.
        """
        columns = answering.empty_row()

        def name_cells(text: str, row: dict) -> str:
            known = [name for name in columns if isinstance(row[name], str | int | float)]
            return f"{text}\n{', '.join(f'{name} {row[name]}' for name in known)}"

        return name_cells


@dataclass(frozen=True)
class TextPredictOptions(RecordingOptions, PredictOptions):
    """How `predict` of an application of texts listens to recordings, too."""

    title: ClassVar[str] = "output"
    file_options: ClassVar[tuple[str, ...]] = ("transcript",)


@dataclass(frozen=True)
class ExportOptions(Options):
    """What the exported model does: what the trained one does."""

    title: ClassVar[str] = "exported model"
