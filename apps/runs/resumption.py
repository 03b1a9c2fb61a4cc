"""What must be unchanged for a training to resume as if nothing had interrupted it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from apps.config.options import override
from apps.config.training import TrainingConfig
from apps.runs.description import RunDescription
from apps.runs.provenance import installed_versions
from data.errors import UserError
from data.files.writing import sha256
from data.messages import warn

# Options that may change: the results do not depend on them.
_FREE = ("checkpoint_seconds",)


def resume_options(config: TrainingConfig, given: dict[str, Any]) -> TrainingConfig:
    """Returns the options of an unfinished training, which those given again must equal.

    Raises:
        UserError: one differs.
    """
    for name, value in vars(override(config, given)).items():
        begun = getattr(config, name)
        if value != begun and name not in _FREE:
            raise UserError(
                f"--{name.replace('_', '-')} is {value!r}, and was {begun!r} when the training "
                "began. Leave it out with --resume, or train anew with --restart"
            )
    return replace(config, **{name: given[name] for name in _FREE if name in given})


def check_surroundings(begun: RunDescription, data_file: Path | None) -> None:
    """Refuses changed data and warns of changed versions, before anything slow is imported.

    Args:
        begun: the description of the unfinished training.
        data_file: the file of its data, or None where it takes longer to look at them.

    Raises:
        UserError: the data are not what they were.
    """
    if data_file is not None:
        check_checksum(begun, sha256(data_file))
    now = installed_versions()
    changed = [
        f"{name} {former} is {now.get(name)} now"
        for name, former in (begun.provenance.versions or {}).items()
        if now.get(name) != former
    ]
    if changed:
        warn(f"warning: {', '.join(changed)}: results may differ slightly")


def check_checksum(begun: RunDescription, checksum: str) -> None:
    """Refuses other data than those of the unfinished training.

    Raises:
        UserError: the checksum is another.
    """
    if checksum != begun.provenance.checksum:
        name = begun.config.get("dataset")
        raise UserError(
            f"the data set {name!r} has changed since the training began. Put "
            "the former one back, or train anew with --restart"
        )
