"""The rows of one file and where their answers go: one file, or the parts of a folder, which
processes here or on a cluster write."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.commands.prediction.loader import Loader
from apps.config.options import to_json
from apps.config.training import TrainingConfig
from apps.config.verbs import PredictOptions
from apps.runs.description import RunDescription
from apps.serving.answers import batch_answerer, window_answerer
from apps.serving.files import (
    Prediction,
    beside,
    column_of,
    is_subtitled,
)
from apps.serving.jobs import Job
from apps.serving.parts import Part, Parts, Written, is_folder
from apps.serving.rows import WINDOW, RowReader
from apps.serving.windows import AnswerWindows
from data.errors import UserError
from data.formats.subtitles import subtitle_writer
from data.formats.suffixes import STANDARD_STREAM


@dataclass(frozen=True)
class FileAnswers:
    """The rows of a file and their answers, in whatever process.

    Attributes:
        config: of the training, with the column of the texts, where neither the format nor a person
            says which.
        given: the column that a person has chosen, or None.
        parts: the folder that is written, or None for a file.
        job: the file.
    """

    config: TrainingConfig
    given: str | None
    parts: Parts | None
    job: Job

    @property
    def column(self) -> str:
        """The column of the texts; it may have the empty name."""
        if self.given is not None:
            return self.given
        return column_of(self.job.source) or self.config.text_column

    def reader(self) -> RowReader:
        """Returns what reads the rows."""
        own = self.job.own
        return RowReader(
            self.column, own.rows or WINDOW, own.transcription(), own.reader(self.config)
        )

    def prediction(self, answering: Any, answer_windows: AnswerWindows) -> Prediction:
        """Returns how the rows are answered and written.

        Args:
            answering: what answers.
            answer_windows: answers the texts.
        """
        place = self.parts.path(1) if self.parts else self.job.own.place(self.job.output)
        writer = opener(self.job.own, self.job.source, place, self.column, answering)
        return Prediction(answering, self.reader(), writer, answer_windows)

    def write(self, answering: Any, answer_windows: AnswerWindows) -> int:
        """Answers the rows; the arguments are those of `prediction`.

        Returns:
            How many have no answer.
        """
        prediction = self.prediction(answering, answer_windows)
        if self.parts:
            return self.parts.answer(prediction)
        place = self.job.own.place(self.job.output) or STANDARD_STREAM
        return prediction.answer_file(self.job.source, place)


def write_in_cluster(loader: Loader, file: FileAnswers, workers: int, address: str) -> int:
    """Answers the rows of a file on the machines of a cluster, of which each writes parts into the
    folder: this process reads, and keeps account.

    Args:
        loader: of the model.
        file: the rows, and the folder of parts.
        workers: processes that answer.
        address: of the cluster.

    Returns:
        How many rows have no answer.

    Raises:
        UserError: as `apps.serving.parts.Parts.answer` and
            `apps.cluster.actors.work_in_actors`.
    """
    from apps.cluster.actors import work_in_actors

    assert file.parts is not None
    return file.parts.answer_elsewhere(
        file.reader(),
        partial(work_in_actors, PartLoader(loader, file), workers=workers, address=address),
    )


@dataclass(frozen=True)
class PartLoader:
    """Loads what answers the rows of a part and writes it, in a process of a cluster.

    Attributes:
        loader: of the model.
        file: the rows.
    """

    loader: Loader
    file: FileAnswers

    def __call__(self) -> Callable[[Part], Written]:
        """Returns what writes a part.

        Raises:
            UserError: as `Loader`.
        """
        answering = self.loader.load_answering()
        answer_windows = window_answerer(batch_answerer(answering))
        prediction = self.file.prediction(answering, answer_windows)
        assert self.file.parts is not None
        return partial(self.file.parts.write_part, prediction)


def find_parts(
    description: RunDescription,
    source: str | None,
    output: str | None,
    own: PredictOptions,
    column: str | None,
) -> Parts | None:
    """Returns the folder of parts that an output means, or None.

    Raises:
        UserError: an option writes one file beside it, or the input is no single file.
    """
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


def opener(
    own: PredictOptions, source: str | None, output: str | None, column: str, answering: Any
) -> Callable:
    """Returns what opens the output, with a page beside it if there is one; the arguments are those
    of `PredictOptions.writer`."""
    if is_subtitled(output, own.suffixes()):
        caption = own.caption(answering)
        writer: Callable = partial(subtitle_writer, column=column, caption=caption)
    else:
        writer = own.writer(source, column, answering)
    page = own.page(source, column, answering) if source else None
    if page is None:
        return writer
    # With a page alone nothing is written to standard output.
    return partial(beside, open_output=writer, page=page) if output else lambda _: page
