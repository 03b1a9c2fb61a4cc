"""From the options of `train`, `predict` and `export` to those of the search for answers."""

from dataclasses import replace
from typing import Any

from apps.tasks.seq2seq.config import Seq2SeqConfig, Seq2SeqExportOptions, Seq2SeqPredictOptions
from data.errors import UserError
from data.text.special_tokens import PADDING, START, UNKNOWN

# Options of a training that `predict` and `export` may change.
SEARCHED = (
    "beam_width",
    "length_penalty",
    "coverage_penalty",
    "replace_unknown",
    "min_length",
    "max_length",
    "no_repeat_ngram",
)


def searching(config: Any, options: Any, names: tuple[str, ...]) -> Any:
    """Returns the options of a training with those of these names that say something.

    Args:
        config: of the training, a `Seq2SeqConfig`.
        options: of `predict` or `export`.
        names: of fields that both have.
    """
    given = {name: getattr(options, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    # The most tokens of an answer say nothing of how many are read of a source.
    given["max_source_length"] = config.source_length
    return replace(config, **given)


def apply_options(config: Seq2SeqConfig, options: Seq2SeqExportOptions) -> Seq2SeqConfig:
    """Returns the options of a training with those of `predict` or `export` where they say
    something.

    Raises:
        UserError: more answers are wanted than the beam holds, or the model has no attention or
            does not copy, as an option needs it to.
    """
    config = searching(config, options, SEARCHED)
    if not isinstance(options, Seq2SeqPredictOptions):
        return config
    if options.n_best > config.beam_width:
        raise UserError(
            f"--n-best {options.n_best} needs a beam as wide. Received: "
            f"--beam-width {config.beam_width}"
        )
    if options.alignment and config.attention == "none":
        raise UserError("--alignment needs a model with attention, this one was trained without")
    if options.highlights and not config.copy:
        raise UserError("--highlights needs a model that copies. Train one with --copy")
    return config


def search_options(config: Seq2SeqConfig, options: Seq2SeqPredictOptions) -> dict[str, Any]:
    """Returns the fields of the `models.seq2seq.search.TranslationSearch` that options ask for.

    Args:
        config: those of the training, after `apply_options`.
        options: of `predict`.
    """
    banned: tuple[int, ...] = (PADDING, START)
    if config.replace_unknown and config.attention == "none":
        # Nothing says what stands for the mark.
        banned += (UNKNOWN,)
    return {
        "beam_width": 1 if options.temperature else config.beam_width,
        "length_penalty": config.length_penalty,
        "coverage_penalty": config.coverage_penalty,
        "n_best": options.n_best,
        "temperature": options.temperature,
        "top_k": options.top_k,
        "top_p": options.top_p,
        "seed": options.seed,
        "max_length": config.max_length,
        "source_length": config.source_length,
        "min_length": config.min_length,
        "no_repeat_ngram": config.no_repeat_ngram,
        "banned_ids": banned,
        "bounded": True,
    }
