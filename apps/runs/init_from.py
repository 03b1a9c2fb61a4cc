"""What a training takes over from the run that `--init-from` names."""

from typing import Any

from apps.config.groups import InitFromOptions
from apps.config.options import override, with_present_names
from apps.config.training import TrainingConfig
from apps.pretrained.names import find_run
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from data.errors import UserError

# In a run that was written before `config.json` named its kind: an option that this kind alone has.
_FORMER_KINDS = {
    "pooling": "classifier",
    "tag_column": "tagger",
    "sequence_length": "language model",
}


def read_pretrained(config: TrainingConfig, read: RunFiles | None = None) -> RunFiles | None:
    """Returns the files of the run that `--init-from` names; None without it.

    Args:
        config: the options of a training.
        read: files that have been read already; they are returned if they are of that run.

    Raises:
        UserError: there is no run, or it is damaged.
    """
    if not isinstance(config, InitFromOptions) or not config.init_from:
        return None
    run = RunFolder(find_run(config.init_from), "--init-from")
    return read if read is not None and read.run == run else read_run(run)


def options_from_pretrained(config: Any, given: dict[str, Any], description: RunDescription) -> Any:
    """Returns the options of a model with those that follow from `--init-from`.

    Args:
        config: its options.
        given: by name, those of them that the user chose.
        description: of the run that `init_from` names.

    Raises:
        UserError: a language model reads other tokens, or an option that was chosen is another
            than the trained model's.
    """
    follow = _follow(config, description)
    followed = override(config, follow)
    for name in follow:
        ours, theirs = getattr(config, name), getattr(followed, name)
        if name in given and ours != theirs:
            raise UserError(
                f"--{name.replace('_', '-')} is {ours!r}, with --init-from {config.init_from} it "
                f"is {theirs!r}. Leave it out"
            )
    return followed


def check_inherited(config: Any, description: RunDescription) -> None:
    """Refuses a trained model whose options are not those that a training has begun with: another
    run may have got the name since.

    Args:
        config: the options of the training.
        description: of the run that `init_from` names.

    Raises:
        UserError: they differ.
    """
    if override(config, _follow(config, description)) != config:
        raise UserError(
            f"{config.init_from} is another run than when the training began. Put the former one "
            "back, or train anew with --restart"
        )


def _follow(config: InitFromOptions, description: RunDescription) -> dict[str, Any]:
    """Returns the options that follow from those of a trained model.

    Raises:
        UserError: it is of another kind, or reads other tokens, or its options are damaged.
    """
    kind = kind_of(description)
    if kind not in config.begins_with:
        raise UserError(
            f"{config.init_from} holds a run of {description.application!r}, not of "
            f"{' or '.join(f'a {name}' for name in config.begins_with)}. Check --init-from"
        )
    try:
        return config.options_from(kind, with_present_names(description.config))
    except (KeyError, TypeError):
        raise UserError(
            f"{config.init_from} is damaged: its options are not those of a {kind}. Check "
            "--init-from"
        ) from None


def kind_of(description: RunDescription) -> str:
    """Returns what a run holds, a `TrainingConfig.kind`; empty for an older run of another kind."""
    former = (kind for name, kind in _FORMER_KINDS.items() if name in description.config)
    return description.kind or next(former, "")
