"""A training that begins with a trained model: what it takes over from its run."""

from collections.abc import Iterable
from pathlib import Path

from apps.config.options import override, with_present_names
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from data.errors import UserError
from data.registry import CLASSIFIER_TOKENS, TAGGER_TOKENS

# The trained model decides these: weights must have the shapes of its.
_SAME = ("cell", "units", "num_layers", "residual", "layer_normalization", "embedding_dim")
# And these, where another model of its kind goes on.
_SAME_KIND = {
    "text_generation": ("tied", "tokenizer", "vocabulary_size"),
    "ner": ("bidirectional", "characters", "max_word_length", "case_features"),
    "classifier": ("bidirectional", "characters", "max_word_length", "pooling", "standardize"),
}
_KINDS = {
    "text_generation": "a language model",
    "ner": "a tagger",
    "classifier": "a classifier",
}
# A trained classifier's vocabulary has its vectors already.
_NO_VECTORS = {"vectors": None, "open_vocabulary": 0}


def read_pretrained(config, read: RunFiles | None = None) -> RunFiles | None:
    """Returns the files of the run that `--init-from` names; None without it.

    Args:
        config: the options of a training.
        read: files that have been read already; they are returned if they are of that run.

    Raises:
        UserError: there is no run, or it is damaged.
    """
    if not config.init_from:
        return None
    run = RunFolder(Path(config.init_from))
    return read if read is not None and read.run == run else read_run(run)


def options_from_pretrained(config, given: dict, description: RunDescription):
    """The options of a model with those that follow from `--init-from`.

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


def check_inherited(config, description: RunDescription) -> None:
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


def _follow(config, description: RunDescription) -> dict:
    """Returns the options that follow from those of a trained model.

    Raises:
        UserError: it is of another kind, or a language model that reads other tokens, or its
            options are damaged.
    """
    model, kind = with_present_names(description.config), kind_of(description)
    if kind not in config.begins_with:
        raise UserError(
            f"{config.init_from} holds a run of {description.application!r}, not of "
            f"{' or '.join(_KINDS[each] for each in config.begins_with)}. Check --init-from"
        )
    try:
        return _follow_kind(config, model, kind)
    except (KeyError, TypeError):
        raise UserError(
            f"{config.init_from} is damaged: its options are not those of {_KINDS[kind]}. Check "
            "--init-from"
        ) from None


def _follow_kind(config, model: dict, kind: str) -> dict:
    """Returns the options that follow from those of a model of one kind.

    Raises:
        UserError: a language model reads other tokens.
        KeyError, TypeError: it lacks an option, or one is of another type.
    """
    # What cannot be used is refused before anything is taken from it.
    if config.classifies and kind == "text_generation":
        return {**_of_classifier(config, model), **{name: model[name] for name in _SAME}}
    if not config.classifies and kind != config.begins_with[0]:
        # A tagger reads a language model beside its own layers.
        _check_tokenizer(config, model, (TAGGER_TOKENS,), "taggers")
        return {}
    follow = {name: model[name] for name in (*_SAME, *_SAME_KIND[kind])}
    return follow | _NO_VECTORS if config.classifies else follow


def kind_of(description: RunDescription) -> str:
    """What a run holds, by its description: "classifier" of whichever application, or the
    application."""
    return "classifier" if "decision" in description.details else description.application


def _of_classifier(config, model: dict) -> dict:
    _check_tokenizer(config, model, CLASSIFIER_TOKENS, "classifiers")
    return {
        "standardize": CLASSIFIER_TOKENS[model["tokenizer"]],
        "bidirectional": False,
        "characters": False,
        **_NO_VECTORS,
    }


def _check_tokenizer(config, model: dict, tokenizers: Iterable[str], readers: str) -> None:
    if model.get("tokenizer") not in tokenizers:
        wanted = " or ".join(f"--tokenizer {name}" for name in tokenizers)
        raise UserError(
            f"the language model in {config.init_from} reads {model.get('tokenizer')}, not the "
            f"tokens of {readers}. Train one with {wanted}"
        )
