"""What a run's `config.json` says of its model."""

from dataclasses import dataclass, field, fields
from typing import Any

from apps.runs.provenance import PROVENANCE_FIELDS, Provenance

# The layout of `config.json` that this version of the suite writes.
FORMAT = 1
_REQUIRED = {"format": int, "application": str, "config": dict, "checksum": str}
_OPTIONAL = {
    "kind": str,
    "class_names": list,
    "decision": dict,
    "refit_epochs": int,
    "devices": list,
    "training_seconds": int | float,
}


@dataclass(frozen=True)
class RunDescription:
    """What is known of a run without its model and vocabularies.

    Attributes:
        application: the name of the application that trained it.
        config: the options of the training, by name.
        kind: what the run holds, an `apps.config.training.TrainingConfig.kind`; None in a run that
            was written before it was named.
        details: what the task adds to load its model, such as `class_names`; and what a newer
            version of the suite adds.
        provenance: what the model was computed from.
        model: which of several seeds the model is of; None for a training with one seed.
        training_seconds: that the training took.
        stopped_early: why it stopped before its end, or the empty text.
        format: the layout of `config.json`.
        files: the checksums of the files that answers depend on, by name.
        fingerprint: the checksum of everything else.
    """

    application: str
    config: dict[str, Any]
    details: dict[str, Any] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    kind: str | None = None
    model: str | None = None
    training_seconds: float | None = None
    stopped_early: str | None = None
    format: int = FORMAT
    files: dict[str, str] | None = None
    fingerprint: str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, entity types or languages of the model; none if it has none."""
        return tuple(self.details.get("class_names", ()))

    @property
    def refit_epochs(self) -> int:
        """The epochs in which the model learned from the validation split, too."""
        return self.details.get("refit_epochs", 0)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "RunDescription":
        """Reads the JSON object of a `config.json`.

        Raises:
            ValueError: a value is missing or of another type.
        """
        _check_types(values)
        own = {name: values[name] for name in _OWN if name in values}
        provenance = {name: values[name] for name in PROVENANCE_FIELDS if name in values}
        known = {*_OWN, *PROVENANCE_FIELDS}
        details = {name: value for name, value in values.items() if name not in known}
        return cls(**own, details=details, provenance=Provenance(**provenance))

    def to_json(self) -> dict[str, Any]:
        """Returns the JSON object of `config.json`, without what is unknown."""
        values = {
            "format": self.format,
            "application": self.application,
            "kind": self.kind,
            "config": self.config,
            **self.details,
            **self.provenance.to_json(),
            "model": self.model,
            "training_seconds": self.training_seconds,
            "stopped_early": self.stopped_early,
            "files": self.files,
            "fingerprint": self.fingerprint,
        }
        return {name: value for name, value in values.items() if value is not None}


_OWN = tuple(
    each.name for each in fields(RunDescription) if each.name not in ("details", "provenance")
)


def is_description(values: dict[str, Any]) -> bool:
    """Returns whether a JSON object has what every description of a run has."""
    return all(isinstance(values.get(name), kind) for name, kind in _REQUIRED.items())


def _check_types(values: dict[str, Any]) -> None:
    if not is_description(values):
        raise ValueError(f"it needs {', '.join(_REQUIRED)}")
    for name, kind in _OPTIONAL.items():
        if name in values and not isinstance(values[name], kind):
            raise ValueError(f"{name} is {values[name]!r}")
    if not all(isinstance(name, str) for name in values.get("class_names", ())):
        raise ValueError("a class has no name")
