"""A trained model in Python: its answers, its metrics, its export."""

import copy
import functools
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from apps.commands import export as exporting
from apps.commands.application import Application
from apps.commands.evaluate import Evaluation, measure
from apps.commands.startup import import_tensorflow
from apps.config.groups import DataOptions
from apps.config.options import Options, names_in, override
from apps.python.keywords import check_names, from_keywords
from apps.runs.description import RunDescription
from apps.runs.export_folder import FORMATS
from apps.runs.files import RunFiles, read_run
from apps.serving.answering import Answer, Answering, Direct, Typed
from apps.serving.answers import GraphAnswerer, answer_all, batch_answerer, in_batches
from apps.serving.windows import MOST_AT_ONCE, AnswerBatch
from apps.tasks.onnx_engine import OnnxEngine, copy_with
from apps.tasks.task import Configurable, Interactive, Task
from apps.terminal.errors import as_user_errors
from data.errors import UserError
from data.formats.record import flatten_row

if TYPE_CHECKING:
    import pandas as pd

# How `evaluate` is called beside the options of the data and of the application.
_OF_EVALUATE = ("split", "baseline")


@dataclass(frozen=True)
class _Answerer:
    """What answers with certain options: made once, for its graph takes a while."""

    options: Options
    answering: Answering | Direct
    answer_batch: AnswerBatch

    def answer(self, texts: list[str]) -> list[dict]:
        """Returns the output columns of texts."""
        if len(texts) <= MOST_AT_ONCE:
            return self.answer_batch(texts)
        return in_batches(self.answer_batch, texts)


class Model:
    """A trained model of any application, as `apps.load` and `apps.train` return it.

    >>> model = apps.load("runs/reviews")
    >>> model
    Model('runs/reviews', application='sentiment')
    >>> model.class_names
    ('negative', 'positive')

    Args:
        application: that of the model.
        files: of its run.
        place: the folder as the user named it.
        serve: answers <string>[batch] without options, such as the function of a SavedModel; None
            for that of the task.
        engine: answers without TensorFlow, or None. The task is loaded when it is asked for then.
    """

    def __init__(
        self,
        application: Application,
        files: RunFiles,
        place: Path,
        serve: Callable | None = None,
        engine: OnnxEngine | None = None,
    ) -> None:
        self._application, self._place = application, place
        self._run, self._description = files.run, files.description
        self._serve, self._engine = serve, engine
        self._loaded: Task | None = None if engine else application.load(files)
        self._answerer: _Answerer | None = None

    def __repr__(self) -> str:
        return f"Model({str(self._place)!r}, application={self.application!r})"

    @property
    def application(self) -> str:
        """The name of the application that trained it."""
        return self._application.name

    @property
    def description(self) -> RunDescription:
        """What the run's `config.json` says of it: options, data, versions."""
        return self._description

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, entity types or languages of the model; none if it has none."""
        return self._description.class_names

    @property
    def task(self) -> Task:
        """The trained task with its Keras model, for what goes beyond this class."""
        if self._loaded is None:
            with as_user_errors():
                files = self._read_again()
                import_tensorflow()
                self._loaded = self._application.load(files)
        return self._loaded

    @property
    def engine(self) -> str:
        """What computes the answers: `onnx` or `tensorflow`."""
        return "onnx" if self._engine else "tensorflow"

    @property
    def onnx(self) -> OnnxEngine | None:
        """What answers without TensorFlow, or None."""
        return self._engine

    @overload
    def predict(self, texts: str, **options: Any) -> Any: ...
    @overload
    def predict(self, texts: Sequence[str], **options: Any) -> list[Any]: ...
    def predict(self, texts: str | Sequence[str], **options: Any) -> Any:
        """Answers a text, or several.

        >>> answer = apps.load("runs/names").predict("Mary Jones went to Paris .")
        >>> print(answer)
        [Mary Jones](PER 37 %) went to [Paris](LOC 53 %) .
        >>> print(answer.entities[1].label, answer.entities[1].start, answer.entities[1].end)
        LOC 19 24

        Args:
            texts: one text, or a list, a series or an array of them. An empty one gets an answer
                without content that says so in `problem`.
            **options: those of the command `predict` for this application, such as `beam_width` of
                a translation or `temperature` of a generated text.

        Returns:
            The answer to the one text, or the list of answers: objects with the text, that print
            well: `Classification`, `TaggedText`, `Continuation`, `Translation`.

        Raises:
            Error: an unknown option, or one that does not suit the model.
        """
        if isinstance(texts, str):
            return self._predict([texts], options)[0]
        return self._predict([*texts], options)

    def answerer(self, **options: Any) -> Callable[[list[str]], list[dict]]:
        """Returns what answers texts with fixed options, for whoever asks often, such as a server.

        >>> answer = apps.load("runs/reviews").answerer()
        >>> answer(["I loved it"])[0]["predicted_label"]
        'positive'

        Args:
            **options: as of `predict`.

        Returns:
            Takes texts, none of them empty, and returns the columns that `predict --output FILE`
            writes of each.

        Raises:
            Error: an unknown option, or one that does not suit the model.
        """
        with as_user_errors():
            own = override(self._application.options_class("predict")(), from_keywords(options))
            return self._make_answerer(own, exported=not options).answer

    def predict_frame(
        self, frame: "pd.DataFrame", column: str = "text", **options: Any
    ) -> "pd.DataFrame":
        """Answers the texts of a data frame.

        >>> frame = pd.DataFrame({"id": [1], "text": ["I loved it"]})
        >>> answered = apps.load("runs/reviews").predict_frame(frame)
        >>> answered[["id", "predicted_label"]].values.tolist()
        [[1, 'positive']]

        Args:
            frame: any table; it stays as it is.
            column: of the texts. A cell that is empty or no text is left without an answer.
            **options: as of `predict`.

        Returns:
            A copy with the columns that `predict --output FILE` writes, and the same index.

        Raises:
            Error: no such column, or the frame has one of the answers' names already.
        """
        import pandas as pd

        from data.errors import did_you_mean, list_values

        if column not in frame.columns:
            raise UserError(
                f"no column {column!r} in the frame. It has: {list_values(frame.columns, 12)}"
                f"{did_you_mean(column, frame.columns)}"
            )
        with as_user_errors():
            answerer = self._answerer_for(options)
            texts = [None if pd.isna(cell) else cell for cell in frame[column]]
            rows = answer_all(answerer.answering, texts, answerer.answer, self._continues)
        answers = pd.DataFrame([flatten_row(row) for row, _ in rows], index=frame.index)
        if not len(frame):
            answers = pd.DataFrame(columns=[*answerer.answering.empty_row()], index=frame.index)
        taken = set(frame.columns) & set(answers.columns)
        if taken:
            raise UserError(f"the frame has a column {min(taken)!r} already. Rename or drop it")
        return pd.concat([frame, answers], axis=1)

    @overload
    def explain(self, texts: str) -> Any: ...
    @overload
    def explain(self, texts: Sequence[str]) -> list[Any]: ...
    def explain(self, texts: str | Sequence[str]) -> Any:
        """Says what each word of a text adds to the answer of a classifier.

        >>> explanation = apps.load("runs/posts").explain("You absolute CLOWN")
        >>> explanation.class_name, explanation.words
        ('offensive_language', ['you', 'absolute', 'clown'])

        Args:
            texts: one text, or several.

        Returns:
            The `Explanation` of the one text, or a list: words with their weights, and whether
            another method agrees. It prints as `predict --explain` does.

        Raises:
            Error: the model is none that can be explained, or a text is empty.
        """
        if "explain" not in names_in(self._application.options_class("predict"), Options):
            raise UserError(f"{self.application} has no explanations: only classifiers have")
        single = isinstance(texts, str)
        results = self._predict([texts] if isinstance(texts, str) else [*texts], {"explain": True})
        for number, result in enumerate(results, 1):
            if result.problem:
                raise UserError(f"text {number}: {result.problem}. Leave it out")
        explanations = [result.explanation for result in results]
        return explanations[0] if single else explanations

    def evaluate(self, dataset: str | Path | None = None, **options: Any) -> Evaluation:
        """Measures the model on labelled examples, and writes nothing.

        >>> evaluation = apps.load("runs/posts").evaluate("more.csv", split="validation")
        >>> evaluation.metrics["rows"]
        6

        Args:
            dataset: a file, the name of a corpus, or None for the data of the training.
            **options: those of the command `evaluate` for this application: `split`, `baseline`,
                `text_column`, ...

        Returns:
            The metrics. It prints as the command does.

        Raises:
            Error: the data cannot be used, or an option is unknown or does not suit them.
        """
        given = from_keywords({"dataset": dataset} if dataset is not None else {}, options)
        own = self._application.options_class("evaluate")
        data = names_in(self._application.config, DataOptions)
        check_names(given, (*_OF_EVALUATE, *data, *names_in(own, Options)))
        shown = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
        command = f"apps.load({str(self._place)!r}).evaluate {shlex.join(shown)}".strip()
        with as_user_errors():
            return measure(
                self._application,
                self._read_again(),
                {**given, "command": command},
                copy.copy(self.task),
            )

    def export(
        self,
        output: str | Path,
        format: str | Sequence[str] = "savedmodel",
        quantize: str | None = None,
        **options: Any,
    ) -> Path:
        """Writes a SavedModel that answers with TensorFlow alone, or a folder that answers without.

        >>> apps.load("runs/posts").export("exported/posts")
        PosixPath('exported/posts/1')

        Args:
            output: a folder, which gets the next version: `1`, `2`, ...
            format: `savedmodel`, `onnx`, or a list of both.
            quantize: `int8` for weights of eight bits in ONNX; None for weights as they are.
            **options: those of the command `export` for this application.

        Returns:
            The folder of the version. `apps.load` takes it, or the folder of all versions.

        Raises:
            Error: something else is in the folder, or it cannot be written.
        """
        own = override(self._application.options_class("export")(), from_keywords(options))
        formats = [format] if isinstance(format, str) else [*format]
        for name in formats or [""]:
            if name not in FORMATS:
                raise UserError(f"unknown format {name!r}. Choose of: {', '.join(FORMATS)}")
        with as_user_errors():
            files = self._read_again()
            return exporting.write_export(
                self._application, files, Path(output), own, formats, quantize
            )

    @functools.cached_property
    def _continues(self) -> bool:
        """Whether an empty text has an answer: what a language model begins with."""
        return self._engine.takes_empty if self._engine else isinstance(self.task, Interactive)

    def _predict(self, texts: list[str], given: dict[str, Any]) -> list[Any]:
        with as_user_errors():
            answerer = self._answerer_for(given)
            rows = answer_all(answerer.answering, texts, answerer.answer, self._continues)
        answering = answerer.answering
        to_result = answering.to_result if isinstance(answering, Typed) else Answer
        return [to_result(text, *row) for text, row in zip(texts, rows, strict=True)]

    def _answerer_for(self, given: dict[str, Any]) -> _Answerer:
        """Returns what answers with options, the one of before if they are the same.

        Raises:
            UserError: an option is unknown, or does not suit the model.
        """
        own: Any = override(self._application.options_class("predict")(), from_keywords(given))
        if self._answerer is None or self._answerer.options != own:
            self._answerer = self._make_answerer(own, exported=not given)
        return self._answerer

    def _make_answerer(self, own: Any, exported: bool) -> _Answerer:
        """Returns what answers with options of `predict`.

        Args:
            own: the options.
            exported: whether an export may answer as it was exported.
        """
        if self._engine and not own.needs_task:
            engine = copy_with(self._engine, own, as_exported=exported)
            return _Answerer(own, engine, engine.answer)
        # The options of one call are not those of the next.
        task = copy.copy(self.task)
        if isinstance(task, Configurable):
            task.set_options(own)
        answering = own.answering(task)
        if self._serve and exported:
            return _Answerer(own, answering, GraphAnswerer(answering, self._serve))
        return _Answerer(own, answering, batch_answerer(answering))

    def _read_again(self) -> RunFiles:
        """Reads the run's files, which are not kept in memory.

        Raises:
            UserError: another training has replaced them.
        """
        files = read_run(self._run)
        if files.description != self._description:
            raise UserError(f"another training has replaced {self._place}. Load it again")
        return files
