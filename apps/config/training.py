"""The options that all kinds of training share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from apps.config.groups import (
    DataOptions,
    OptimizerOptions,
    RunOptions,
    SeedsOptions,
)


@dataclass(frozen=True)
class TrainingConfig(SeedsOptions, RunOptions, OptimizerOptions, DataOptions):
    """Options of every training: the data, the optimization, and how it computes and repeats.

    The config of a task takes further groups of `apps.config.groups`, and adds its own options.
    """

    # What a run holds: a noun for messages and `config.json`.
    kind: ClassVar[str] = "model"
    if TYPE_CHECKING:  # every config has these, as options of its own or as constants

        @property
        def devices(self) -> int: ...
        @property
        def monitor(self) -> str: ...
        @property
        def text_column(self) -> str: ...

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
