"""The options that all kinds of training share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from apps.config.ensembles import SeedsOptions
from apps.config.groups import (
    DataOptions,
    OptimizerOptions,
    RunOptions,
)
from apps.config.options import Options, option
from apps.config.space import Range, Space
from data.errors import UserError


@dataclass(frozen=True)
class GroupOptions(Options):
    """Processes that train one model together; the model does not depend on them."""

    title: ClassVar[str] = "several processes"

    workers: int = option(
        1, "processes that share each batch, on this machine or in --cluster", at_least=1
    )
    cluster: str | None = option(
        None, "address of a Ray cluster whose machines train, such as auto or 10.0.0.1:6379"
    )

    def check(self) -> None:
        super().check()
        if self.cluster is not None and self.workers == 1:
            raise UserError("--cluster takes --workers, of which there is 1. Pass --workers 2")


@dataclass(frozen=True)
class TrainingConfig(SeedsOptions, RunOptions, OptimizerOptions, DataOptions):
    """Options of every training: the data, the optimization, and how it computes and repeats.

    The config of a task takes further groups of `apps.config.groups`, and adds its own options.
    """

    # What a run holds: a noun for messages and `config.json`.
    kind: ClassVar[str] = "model"
    # What `search` tries, if no file says something else.
    search_space: ClassVar[Space] = {
        "learning_rate": Range(5e-4, 1e-2, log=True),
        "average_weights": (0.0, 0.99, 0.999),
    }
    if TYPE_CHECKING:  # every config has these, as options of its own or as constants

        @property
        def devices(self) -> int: ...
        @property
        def monitor(self) -> str: ...
        @property
        def text_column(self) -> str: ...

    def read_corpus(
        self, sample: str, class_names: tuple[str, ...] = (), original: bool = False
    ) -> Any:
        """Reads the data set that the options name, without importing TensorFlow if it is a user's
        file.

        Args:
            sample: the name of the file that `--dataset sample` means.
            class_names: those of the trained model that is evaluated on the data; none for a
                training.
            original: see `data.datasets.read_labelled_texts`.

        Returns:
            A `data.examples.corpus.Corpus` or the like.

        Raises:
            UserError: it cannot be used.
        """
        raise NotImplementedError

    def check_measurable(self, corpus: Any, details: Mapping[str, Any]) -> None:
        """Refuses data that a trained model cannot be measured on.

        Args:
            corpus: what `read_corpus` has returned.
            details: what the run's description says of the model, such as `class_names`.

        Raises:
            UserError: the data have answers of another kind than the model.
        """

    # What `train --help` shows: the options that most people set.
    main: ClassVar[tuple[str, ...]] = (
        "dataset",
        "data_dir",
        "epochs",
        "batch_size",
        "learning_rate",
        "units",
        "dropout",
        "seed",
    )
