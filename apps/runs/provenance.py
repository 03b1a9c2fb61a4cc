"""Where a model and its metrics come from."""

import platform
from dataclasses import dataclass, fields
from typing import Any

from apps.config.training import TrainingConfig

_PACKAGES = (
    "tensorflow",
    "keras",
    "numpy",
    "pandas",
    "scikit-learn",
    "tensorflow-datasets",
    "sacrebleu",
)


@dataclass(frozen=True)
class Provenance:
    """What a model or a metric was computed from, so that it can be computed again.

    What an older version of the suite did not note is None.

    Attributes:
        command: the command line.
        dataset: the name of the data set.
        checksum: of its content.
        seed: of weights, dropout and order.
        devices: those of the training, as TensorFlow names them.
        mixed_precision: the training's precision, by its name in the options.
        jit: whether XLA compiled the training step.
        accumulate: the steps of an update.
        versions: of Python and of the packages that a result depends on.
    """

    command: str | None = None
    dataset: str | None = None
    checksum: str | None = None
    seed: int | None = None
    devices: list[str] | None = None
    mixed_precision: str | None = None
    jit: bool | None = None
    accumulate: int | None = None
    versions: dict[str, str] | None = None

    @classmethod
    def collect(
        cls, command: str, corpus: Any, config: TrainingConfig, devices: list[str]
    ) -> "Provenance":
        """Returns the provenance of what this process computes.

        Args:
            command: the command line.
            corpus: the data set, with `name` and `checksum`.
            config: the options of the training.
            devices: of the training.
        """
        return cls(
            command,
            corpus.name,
            corpus.checksum,
            config.seed,
            devices,
            config.mixed_precision,
            config.jit,
            config.accumulate,
            installed_versions(),
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the values by name, without those that are unknown."""
        return {name: value for name, value in vars(self).items() if value is not None}


PROVENANCE_FIELDS = tuple(field.name for field in fields(Provenance))


def installed_versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that a result depends on."""
    # Its import costs as much as half of the command line.
    import importlib.metadata

    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **versions}
