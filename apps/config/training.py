"""The options that all kinds of training share."""

from dataclasses import dataclass
from typing import ClassVar

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
