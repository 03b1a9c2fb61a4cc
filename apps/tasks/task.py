"""The interfaces of tasks: what commands, a server and notebooks ask of a trained or new model.

A class fulfils a Protocol by having its methods; none needs to inherit it. `Task` is what every
kind of task has. What only some have are Protocols of their own, which callers ask for by
`isinstance`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from apps.serving.answering import Answering

if TYPE_CHECKING:  # a command that only prints its help must not wait for TensorFlow
    import keras
    import numpy as np

    from apps.config.training import TrainingConfig
    from apps.pages.parts import Part
    from apps.runs.description import RunDescription
    from apps.runs.files import RunFiles
    from apps.training.fit import TrainingResult
    from models.serving.export import ExportableModel


@runtime_checkable
class Measured(Protocol):
    """What was measured on a split."""

    def to_json(self) -> dict:
        """Returns the metrics as `metrics.json` holds them."""

    def table(self) -> str:
        """Formats the metrics for the terminal."""

    def draw(self, split: str, folder: Path) -> None:
        """Draws pictures of the metrics of a split, or none, into a folder."""


@runtime_checkable
class Report(Measured, Protocol):
    """The metrics of a task on a split."""

    def main_metrics(self) -> dict[str, float]:
        """Returns the metrics to compare runs by, by title."""


@runtime_checkable
class Reviewed(Protocol):
    """A report that knows which examples the model answers worst."""

    def describe_worst(self) -> "list[Part]":
        """Returns the worst examples as parts of a page, the worst first; none if all are right."""


@runtime_checkable
class Task(Answering, Protocol):
    """One model of an application with its vocabulary, from its data to its answers.

    Attributes:
        config: the options it was or will be trained with.
        model: what learns and answers.
    """

    config: "TrainingConfig"
    model: "keras.Model"

    def serving(self) -> "ExportableModel":
        """Returns the model that takes raw strings; `predict` and `export` use it alike."""

    @classmethod
    def build(
        cls, config: "TrainingConfig", corpus: Any, pretrained: "RunFiles | None" = None
    ) -> Self:
        """Returns a new task for a corpus; what it learns beforehand, such as a vocabulary, comes
        from the training split alone.

        Args:
            config: the options.
            corpus: the data.
            pretrained: the run that `--init-from` names, where it has been read already.
        """

    @classmethod
    def load(cls, config: "TrainingConfig", description: "RunDescription", folder: Path) -> Self:
        """Returns a trained task from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """

    def describe(self) -> dict:
        """Returns what `load` needs besides the options and the files, for `config.json`."""

    def save(self, folder: Path) -> None:
        """Writes vocabulary and model."""

    def files(self, folder: Path) -> list[Path]:
        """Returns the files of a run folder that an export takes along besides the model's."""

    def training_data(self, corpus: Any) -> tuple[Any, "keras.losses.Loss"]:
        """Returns the batches of the training split and the loss on them."""

    def trained_part(self) -> "keras.Model":
        """Returns what a training changes: the model, or one that shares its layers and learns them
        in another way, such as R-Drop."""

    def fit(self, corpus: Any, folder: Path) -> "TrainingResult":
        """Trains and keeps the weights that are best on the validation split, see
        `apps.training.fit.fit`."""

    def evaluate(self, examples: Any) -> Report:
        """Measures the task on a split."""

    def evaluate_baselines(self, corpus: Any, examples: Any) -> dict[str, Report]:
        """Measures simpler methods, trained on the training split of a corpus, on other examples;
        returns their reports by name, none where there is no such method."""

    def read_report(self, metrics: dict) -> Report:
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""


@runtime_checkable
class Configurable(Protocol):
    """Answers as options of `predict` and `export` say."""

    def set_options(self, options: Any) -> None:
        """Answers from now on as the options of a verb say.

        Raises:
            UserError: they do not suit the model.
        """


@runtime_checkable
class Portable(Protocol):
    """Has an ONNX form, unless a part of its model has none."""

    def to_portable(self) -> "ExportableModel":
        """Returns the model that takes raw strings, for `models.onnx.form.write_form`."""

    def files(self, folder: Path) -> list[Path]:
        """Returns the vocabularies of a run folder."""


@runtime_checkable
class Roundable(Portable, Protocol):
    """Has metrics that tell what rounded weights cost."""

    def report_rows(self, rows: list[dict], examples: Any) -> Report:
        """Measures output columns of the texts of a split."""


@runtime_checkable
class Ensembling(Protocol):
    """Becomes the mean of several models that differ in their seeds."""

    @classmethod
    def ensemble(cls, members: list[Self], corpus: Any) -> Self:
        """Returns the task whose model is the mean of the members'.

        Args:
            members: trained with the same options but for the seed.
            corpus: that they were trained on.

        Raises:
            UserError: their vocabularies differ.
        """


@runtime_checkable
class Averaging(Ensembling, Protocol):
    """Reads texts once for all members of an ensemble."""

    def logits(self, texts: list[str]) -> "np.ndarray":
        """Returns <float32>[rows, outputs] of the model, in the order of the texts."""

    def mean(self, logits: "list[np.ndarray]") -> "np.ndarray":
        """Returns the logits of the ensemble, by those of its members."""

    def report(self, logits: "np.ndarray", examples: Any) -> Report:
        """Measures logits of the texts of a split."""


@runtime_checkable
class Refitting(Protocol):
    """Trains a second time, on training and validation split together."""

    def fit_as(self, chosen: Self, corpus: Any, folder: Path, epochs: int) -> "TrainingResult":
        """Trains without a validation split.

        Args:
            chosen: the task of the first training, whose choices are kept.
            corpus: with the rows of the validation split in its training split.
            folder: what is written goes there.
            epochs: after which it is over.
        """


@runtime_checkable
class Interactive(Protocol):
    """Answers on the terminal itself, such as by writing on as one types."""

    def run_interactively(self, texts: list[str]) -> None:
        """Answers texts on the terminal; without texts it asks for them."""


@runtime_checkable
class Conversing(Protocol):
    """Has dialogues on the terminal."""

    def converse(self, turns: list[str]) -> None:
        """Has a dialogue that begins with these turns, or with none."""


class Measurement(Protocol):
    """Something that `evaluate` measures besides the metrics of a task.

    Attributes:
        name: of its part of `metrics.json`.
    """

    name: str

    def measure(self, task: Any, examples: Any) -> Measured:
        """Measures a trained task on a split."""
