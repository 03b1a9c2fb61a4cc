"""What answers texts by the ONNX form of a model, by the kind of the model."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from apps.tasks.task import Configurable
from data.messages import printable

if TYPE_CHECKING:  # a command that only prints its help must not wait for onnxruntime
    from apps.config.training import TrainingConfig
    from models.portable.folder import Model


class OnnxEngine:
    """Answers texts by the ONNX form of a run, or by an export of it.

    Args:
        model: of the form.
        config: the options that it was trained with.
        is_export: whether the form has the options of its export.
    """

    # Whether an empty text has an answer.
    takes_empty = False

    def __init__(self, model: "Model", config: "TrainingConfig", is_export: bool = False) -> None:
        self.model, self.is_export = model, is_export
        self._config = config

    def answer(self, texts: Sequence[str]) -> list[dict]:
        """Returns the output columns of each text, of any number of texts."""
        return self.model.answer(texts)

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""
        raise NotImplementedError

    def format_answer(self, text: str, row: dict) -> str:
        """Formats a text and its output columns for the terminal."""
        raise NotImplementedError

    def to_result(self, text: str, row: dict, problem: str = "") -> Any:
        """Returns the answer to a text as an object that prints well."""
        raise NotImplementedError


class _Classifier(OnnxEngine):
    def empty_row(self) -> dict:
        from apps.tasks.classification import answers

        return answers.empty_row(self.model.class_names)

    def format_answer(self, text: str, row: dict) -> str:
        from apps.tasks.classification import answers

        return printable(f"{text}\n    {answers.describe_row(row, self.model.class_names)}")

    def to_result(self, text: str, row: dict, problem: str = "") -> Any:
        from apps.tasks.classification import answers

        return answers.to_result(text, row, self.model.class_names, problem)


class _Tagger(OnnxEngine):
    def empty_row(self) -> dict:
        from apps.tasks.tagging import answers

        return answers.empty_row()

    def format_answer(self, text: str, row: dict) -> str:
        from apps.tasks.tagging.spans_on_screen import mark_spans

        return mark_spans(text, row["entities"])

    def to_result(self, text: str, row: dict, problem: str = "") -> Any:
        from apps.tasks.tagging import answers

        return answers.to_result(text, row, problem)


class LanguageModelEngine(OnnxEngine):
    """Continues texts by the ONNX form of a language model; arguments as `OnnxEngine`."""

    takes_empty = True

    def set_options(self, options: Any) -> None:
        """Continues texts from now on as options of `predict` say.

        Raises:
            UserError: a class that the model does not know, or none where it needs one.
        """
        from apps.tasks.generation.config import find_label
        from models.decoding.options import DecodingOptions

        label = find_label(options.condition, self.model.class_names)
        known = {each.name: getattr(options, each.name) for each in fields(DecodingOptions)}
        self.model = self.model.with_options({**known, "label": label})

    def follow(
        self, text: str, on_piece: Callable[[str], object], number: int = 0, **changes: Any
    ) -> dict[str, Any]:
        """Continues one text, and returns its output columns.

        Args:
            text: the beginning.
            on_piece: takes each piece as it comes; what it returns is true if nobody wants more.
            number: of the text, which chooses its random numbers.
            **changes: options that differ from those that are set.
        """
        return self.model.follow(text, on_piece, number, **changes)

    def run_interactively(self, texts: list[str]) -> None:
        """Prints texts and what follows them, as it comes."""
        for number, text in enumerate(texts):
            _write(text)
            self.follow(text, _write, number)
            _write("", end="\n")

    def empty_row(self) -> dict:
        return {"continuation": "", "log_likelihood": None}

    def format_answer(self, text: str, row: dict) -> str:
        return printable(text + row["continuation"])

    def to_result(self, text: str, row: dict, problem: str = "") -> Any:
        from apps.tasks.generation.answers import Continuation

        return Continuation(text, row["continuation"], row["log_likelihood"], problem)


class _Translator(OnnxEngine):
    n_best = 1

    def set_options(self, options: Any) -> None:
        """Answers from now on as options of `predict` say.

        Raises:
            UserError: more answers are wanted than the beam holds.
        """
        from apps.tasks.seq2seq.search_options import apply_options, search_options

        trained: Any = self._config
        config = apply_options(trained, options)
        wanted = search_options(config, options)
        self.n_best = options.n_best
        self.model = self.model.with_options({**wanted, "replace_unknown": config.replace_unknown})

    @property
    def _column(self) -> str:
        return self.model.settings["answer"]

    def empty_row(self) -> dict:
        from apps.tasks.n_best import empty_columns

        return empty_columns(self._column, self.n_best)

    def format_answer(self, text: str, row: dict) -> str:
        from apps.tasks.seq2seq.answers import format_row

        return printable(format_row(self._column, row))

    def to_result(self, text: str, row: dict, problem: str = "") -> Any:
        from apps.tasks.seq2seq.answers import to_result

        return to_result(self._column, text, row, problem)


_ENGINES: dict[str, type[OnnxEngine]] = {
    "classifier": _Classifier,
    "tagger": _Tagger,
    "language model": LanguageModelEngine,
    "translator": _Translator,
}


def make_engine(model: "Model", config: "TrainingConfig", is_export: bool = False) -> OnnxEngine:
    """Returns what answers by a model; arguments as `OnnxEngine`."""
    return _ENGINES[model.kind](model, config, is_export)


def copy_with(engine: OnnxEngine, options: Any, as_exported: bool) -> OnnxEngine:
    """Returns an engine that answers as options of `predict` say.

    Args:
        engine: stays as it is.
        options: of `predict`.
        as_exported: whether an export answers as it was exported.

    Raises:
        UserError: they do not suit the model.
    """
    own = copy.copy(engine)
    if isinstance(own, Configurable) and not (as_exported and own.is_export):
        own.set_options(options)
    return own


def _write(text: str, end: str = "") -> None:
    """Writes a part of a text to standard output at once."""
    print(printable(text), end=end, flush=True)
