"""The options of language models, of their training and of what they generate."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from apps.config.ensembles import EnsembleOptions
from apps.config.groups import (
    SHAPE_OPTIONS,
    InitFromOptions,
    RecurrentOptions,
    SplitFileOptions,
)
from apps.config.options import Options, option, redefault
from apps.config.space import Range, Space
from apps.config.training import TrainingConfig
from apps.config.verbs import EvaluateOptions, ExportOptions, TextPredictOptions
from data.errors import UserError
from data.registry import CLASSIFIER_TOKENS, TAGGER_TOKENS, TOKENIZERS
from models.decoding.options import DecodingOptions

if TYPE_CHECKING:  # a command that only prints its help must not wait for the readers
    from apps.runs.description import RunDescription
    from apps.tasks.generation.dynamic import DynamicMeasurement
    from data.examples.documents import DocumentCorpus


@dataclass(frozen=True)
class DocumentOptions(SplitFileOptions):
    """Columns of a user's table of texts; a data set may be a folder of files, too."""

    accepts_folders: ClassVar[bool] = True

    text_column: str = option("text", "column of a table with the texts")
    label_column: str = option("label", "column with the class, for --conditioned")
    split_column: str = option("split", "column with the split, used if the table has it")


@dataclass(frozen=True)
class LanguageModelTextOptions(Options):
    """How a text is read and written."""

    title: ClassVar[str] = "texts"

    tokenizer: str = option(
        "characters",
        "what a text is split into; *-tokens are those of classifiers and taggers",
        (*TOKENIZERS, *CLASSIFIER_TOKENS, TAGGER_TOKENS),
    )
    vocabulary_size: int = option(10_000, "different tokens, at most", at_least=2)
    conditioned: bool = option(False, "texts that follow from their class: predict --condition")


@dataclass(frozen=True)
class LanguageModelOptions(Options):
    """The layers of a language model around the recurrent ones, and its loss; the regularisation is
    that of Merity et al. (2018)."""

    title: ClassVar[str] = "language model"

    batch_size: int = option(32, "streams of text, a window of each in a step", at_least=1)
    sequence_length: int = option(
        128, "tokens of a window, beyond which no gradient flows", at_least=1
    )
    input_dropout: float = option(
        0.1, "share of values dropped of the tokens' vectors", at_least=0.0, below=1.0
    )
    embedding_dropout: float = option(
        0.0, "share of the vocabulary whose vectors are dropped in a step", at_least=0.0, below=1.0
    )
    tied: bool = option(False, "vectors of the tokens as weights of the output, too")
    activation_penalty: float = option(
        0.0, "weight of the mean square of the last layer's output in the loss (AR)", at_least=0.0
    )
    slowness_penalty: float = option(
        0.0,
        "weight of the mean square of that output's change from step to step in the loss (TAR)",
        at_least=0.0,
    )
    backward: bool = option(
        False,
        "a second stack that learns to read texts from their ends, for models that begin with this "
        "one and read both ways",
    )
    candidates: int = option(
        0,
        "tokens against which the right one is trained (sampled softmax); 0: all",
        at_least=0,
    )
    sample_length: int = option(
        200, "tokens of the sample that each epoch ends with; 0: none", at_least=0
    )
    monitor: str = option(
        "log_likelihood", "validation metric that chooses the epoch", ("log_likelihood",)
    )


@dataclass(frozen=True)
class GenerationConfig(
    InitFromOptions,
    LanguageModelOptions,
    RecurrentOptions,
    LanguageModelTextOptions,
    DocumentOptions,
    EnsembleOptions,
    TrainingConfig,
):
    """All options of a language model."""

    kind: ClassVar[str] = "language model"
    search_space: ClassVar[Space] = {
        "learning_rate": Range(5e-4, 1e-2, log=True),
        "batch_size": (16, 32, 64),
        "cell": ("gru", "lstm"),
        "units": Range(128, 512, step=64),
        "embedding_dim": (64, 96, 128),
        "dropout": Range(0.0, 0.5, step=0.1),
        "weight_drop": Range(0.0, 0.4, step=0.1),
        "average_weights": (0.0, 0.99, 0.999),
    }
    main: ClassVar[tuple[str, ...]] = (
        "dataset",
        "data_dir",
        "tokenizer",
        "vocabulary_size",
        "epochs",
        "batch_size",
        "learning_rate",
        "units",
    )
    begins_with: ClassVar[tuple[str, ...]] = ("language model",)
    # A model that reads backward knows what it should predict.
    bidirectional: ClassVar[bool] = False
    # Each row of a batch continues where it ended in the batch before, on the same device.
    devices: ClassVar[int] = 1

    cell: str = redefault(RecurrentOptions, "cell", "lstm")
    units: int = redefault(
        RecurrentOptions, "units", 256, "size of the recurrent state of each layer"
    )
    dropout: float = redefault(
        RecurrentOptions, "dropout", 0.2, "share of values dropped between and after layers"
    )
    embedding_dim: int = redefault(RecurrentOptions, "embedding_dim", 128)
    init_from: str | None = redefault(
        InitFromOptions,
        "init_from",
        None,
        "run folder of a language model with whose tokens and weights the training begins",
    )

    def read_corpus(
        self, sample: str, class_names: tuple[str, ...] = (), original: bool = False
    ) -> "DocumentCorpus":
        """Reads the data set that the options name, without TensorFlow if it is `original`.

        Args:
            sample: no matter: this sample is no file.
            class_names: the classes of a trained model, to measure it on the data.
            original: see `data.datasets.read_labelled_texts`.

        Raises:
            UserError: it cannot be used.
        """
        from data.datasets import read_documents
        from data.user_files.columns import LabelledColumns

        columns = LabelledColumns(self.text_column, self.label_column, self.split_column)
        files = (self.validation_file, self.test_file)
        return read_documents(
            self.dataset, self.data_dir, columns, self.conditioned, *files, class_names, original
        )

    def options_from(self, kind: str, trained: dict) -> dict:
        names = (*SHAPE_OPTIONS, "tied", "tokenizer", "vocabulary_size")
        return {name: trained[name] for name in names}


@dataclass(frozen=True)
class DynamicOptions(EvaluateOptions):
    """A measurement of the model as it goes on learning."""

    dynamic: float = option(
        0.0,
        "rate at which the model learns from the text that it has read, measured apart (dynamic "
        "evaluation), such as 0.001; 0: not",
        at_least=0.0,
    )

    def measurement(self, description: "RunDescription") -> "DynamicMeasurement | None":
        if not self.dynamic:
            return None
        from apps.tasks.generation.dynamic import DynamicMeasurement

        return DynamicMeasurement(self.dynamic)


@dataclass(frozen=True)
class GenerationOptions(ExportOptions, DecodingOptions):
    """How texts are continued."""

    title: ClassVar[str] = "generation"

    max_length: int = option(
        DecodingOptions.max_length, "tokens that are added, at most", at_least=1
    )
    temperature: float = option(
        DecodingOptions.temperature,
        "below 1: likely tokens more often, above: less often; 0: the likeliest",
        at_least=0.0,
    )
    top_k: int = option(
        DecodingOptions.top_k, "number of likeliest tokens to choose among; 0: all", at_least=0
    )
    top_p: float = option(
        DecodingOptions.top_p,
        "share of the likeliest tokens, taken together, to choose among",
        at_least=0.0,
        at_most=1.0,
    )
    min_p: float = option(
        DecodingOptions.min_p,
        "probability, as a share of the likeliest token's, of tokens to choose among",
        at_least=0.0,
        at_most=1.0,
    )
    greedy: bool = option(DecodingOptions.greedy, "always the likeliest token, as --temperature 0")
    beam_width: int = option(
        DecodingOptions.beam_width,
        "texts among which a search looks for the likeliest; 0: choice by chance",
        at_least=0,
    )
    length_penalty: float = option(
        DecodingOptions.length_penalty,
        "preference of beams for longer texts (Wu et al. 2016); 0: none",
        at_least=0.0,
    )
    repetition_penalty: float = option(
        DecodingOptions.repetition_penalty,
        "penalty on tokens that the text has; 1: none",
        at_least=1.0,
    )
    no_repeat_ngram: int = option(
        DecodingOptions.no_repeat_ngram,
        "length of runs of tokens that never come twice; 0: any may",
        at_least=0,
    )
    stop: tuple[str, ...] = option(DecodingOptions.stop, "strings before which a text ends")
    seed: int = option(
        DecodingOptions.seed, "random seed; the same seed, the same text", at_least=0
    )
    condition: str | None = option(None, "class of the texts, of a model trained --conditioned")

    def __post_init__(self) -> None:
        if self.beam_width and self.greedy:
            raise UserError("--beam-width and --greedy exclude each other. Leave one out")
        sampled = ("temperature", "top_k", "top_p", "min_p")
        defaults = {name: type(self).__dataclass_fields__[name].default for name in sampled}
        changed = [name for name in sampled if getattr(self, name) != defaults[name]]
        if changed and (self.beam_width or self.greedy):
            flag = changed[0].replace("_", "-")
            chosen = "--greedy" if self.greedy else "--beam-width"
            raise UserError(f"{chosen} leaves nothing to chance: --{flag} has no effect. Drop one")
        if self.length_penalty and not self.beam_width:
            raise UserError("--length-penalty is for beams. Add --beam-width 4, or leave it out")
        if "" in self.stop:
            raise UserError("--stop takes strings that are not empty. Leave it out for none")


def find_label(condition: str | None, class_names: tuple[str, ...]) -> int:
    """Returns the number of the class that texts shall follow from; 0 of a model without classes.

    Raises:
        UserError: a class that the model does not know, or none where it needs one.
    """
    if condition is not None and not class_names:
        raise UserError(
            "--condition is for models trained with --conditioned; this one was not. Leave it out"
        )
    if class_names and condition not in class_names:
        given = json.dumps(condition) if condition else "nothing"
        raise UserError(f"--condition takes one of {', '.join(class_names)}. Received: {given}")
    return class_names.index(condition) if condition is not None else 0


@dataclass(frozen=True)
class GenerationPredictOptions(GenerationOptions, TextPredictOptions):
    """How texts are continued by `predict`, on the terminal among others."""

    main: ClassVar[tuple[str, ...]] = (
        "max_length",
        "temperature",
        "top_p",
        "seed",
        "interactive",
        "complete",
    )
    by_tensorflow: ClassVar[tuple[str, ...]] = ("interactive", "complete", "quantize")

    interactive: bool = option(False, "repeated offer of the next token's choices")
    complete: bool = option(False, "answer of each line by the one that follows it, as in a chat")
    quantize: str | None = option(
        None, "rounding of the recurrent weights: a token takes less time", ("int8",)
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.interactive and self.complete:
            raise UserError("--interactive and --complete exclude each other. Leave one out")
        if self.complete and "\n" not in self.stop:
            # Frozen: this is how a dataclass sets what follows from its fields.
            object.__setattr__(self, "stop", (*self.stop, "\n"))

    @property
    def runs_without_text(self) -> bool:
        return self.interactive or self.complete

    def caption(self, answering: Any) -> Callable[[str, dict], str]:
        return lambda text, row: text + (row["continuation"] or "")
