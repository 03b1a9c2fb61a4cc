"""The options of models that turn one text into another, and those of the translator."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from apps.config.decoder import DecoderOptions, SelfCriticalOptions
from apps.config.ensembles import EnsembleOptions
from apps.config.groups import (
    BatchOptions,
    BidirectionalOptions,
    DeviceOptions,
    OptimizerOptions,
    RDropOptions,
    RecurrentOptions,
)
from apps.config.options import option, redefault
from apps.config.space import Range, Space
from apps.config.training import TrainingConfig
from apps.config.verbs import ExportOptions, TextPredictOptions
from apps.tasks.seq2seq.options import (
    ParallelDataOptions,
    SearchOptions,
    Seq2SeqTextOptions,
    SideOptions,
    TranslatorOptions,
    TranslatorStart,
)
from data.errors import UserError

if TYPE_CHECKING:  # a command that only prints its help must not wait for the readers
    from data.examples.parallel import ParallelCorpus


@dataclass(frozen=True)
class Seq2SeqConfig(
    SelfCriticalOptions,
    TranslatorStart,
    SearchOptions,
    TranslatorOptions,
    DecoderOptions,
    BidirectionalOptions,
    RDropOptions,
    RecurrentOptions,
    Seq2SeqTextOptions,
    DeviceOptions,
    BatchOptions,
    EnsembleOptions,
    TrainingConfig,
):
    """All options of a model that turns one text into another, and what its application calls
    things and measures; the shape is that of Luong et al. (2015), the regularisation follows
    Sennrich & Zhang (2019), "Revisiting Low-Resource Neural Machine Translation".

    Attributes:
        answer, answers: what it writes, the names of columns and of tensors.
        sides: what the names of both sides are.
        one_language: whether both sides are of one, and words have one vocabulary.
        keeps_end: whether the end of a source is read that is too long, instead of its beginning.
        metrics: names in `models.evaluation.generated_texts.METRICS`, the main ones first.
        baselines: names in `apps.tasks.seq2seq.baselines.BASELINES`.
        rewarded_ngram: the longest n-gram that answers are rewarded for which it draws itself.
    """

    answer: ClassVar[str] = "translation"
    answers: ClassVar[str] = "translations"
    sides: ClassVar[str] = "languages"
    one_language: ClassVar[bool] = False
    keeps_end: ClassVar[bool] = False
    metrics: ClassVar[tuple[str, ...]] = ("bleu", "chrf")
    baselines: ClassVar[tuple[str, ...]] = ("copy", "translation memory")
    rewarded_ngram: ClassVar[int] = 4
    kind: ClassVar[str] = "translator"
    search_space: ClassVar[Space] = {
        "learning_rate": Range(5e-4, 1e-2, log=True),
        "batch_size": (32, 64, 128),
        "cell": ("gru", "lstm"),
        "units": Range(96, 320, step=32),
        "attention": ("dot", "general", "additive"),
        "dropout": Range(0.1, 0.5, step=0.1),
        "word_dropout": Range(0.0, 0.2, step=0.05),
        "label_smoothing": (0.0, 0.05, 0.1),
        "average_weights": (0.0, 0.99, 0.999),
    }
    cell: str = redefault(RecurrentOptions, "cell", "lstm")
    units: int = redefault(
        RecurrentOptions, "units", 256, "size of the state of each direction of the encoder"
    )
    embedding_dim: int = redefault(RecurrentOptions, "embedding_dim", 256)
    dropout: float = redefault(
        RecurrentOptions,
        "dropout",
        0.3,
        "share of values dropped of embeddings, between and after layers",
    )
    epochs: int = redefault(OptimizerOptions, "epochs", 30)
    patience: int = redefault(OptimizerOptions, "patience", 8)
    average_weights: float = redefault(OptimizerOptions, "average_weights", 0.999)

    @property
    def source_length(self) -> int:
        """The most tokens that are read of a source."""
        return self.max_source_length or self.max_length

    @property
    def shares_vocabulary(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.one_language or self.tokenizer != "words"

    def __post_init__(self) -> None:
        if self.attention == "none" and self.input_feeding != "none":
            raise UserError(
                f"--input-feeding {self.input_feeding} needs an --attention. Received: none"
            )
        for name, wanted in (("copy", self.copy), ("coverage", self.coverage)):
            if wanted and self.attention == "none":
                raise UserError(f"--{name} needs an --attention. Received: none")
        if self.copy and not self.shares_vocabulary:
            raise UserError(
                "--copy needs one vocabulary for both sides, words of two languages have two. "
                "Choose --tokenizer subwords"
            )
        if self.subword_dropout and self.tokenizer != "subwords":
            raise UserError(
                f"--subword-dropout needs --tokenizer subwords. Received: {self.tokenizer}"
            )
        if self.made_up_names and self.tokenizer == "words":
            raise UserError(
                "--made-up-names needs names that are spelled from parts, with --tokenizer words "
                "they are unknown. Choose --tokenizer subwords"
            )
        if self.min_length > self.max_length:
            raise UserError(
                f"--min-length {self.min_length} is more than --max-length {self.max_length}. "
                "Lower it"
            )


@dataclass(frozen=True)
class PairsConfig(SideOptions, ParallelDataOptions, Seq2SeqConfig):
    """All options of a model that learns from pairs of texts.

    Attributes:
        sample_sides: the sides of the sample.
    """

    sample_sides: ClassVar[tuple[str, str]] = ("en", "fr")
    main: ClassVar[tuple[str, ...]] = (
        "dataset",
        "data_dir",
        "source",
        "target",
        "epochs",
        "batch_size",
        "learning_rate",
        "units",
    )

    def read_corpus(
        self, sample: str, languages: tuple[str, ...] = (), original: bool = False
    ) -> "ParallelCorpus":
        """Reads the data set that the options name.

        Args:
            sample: the name of the file that `--dataset sample` means.
            languages: of a trained model, to measure it on the data; none for those of the options.
            original: no matter: these corpora are read without TensorFlow.

        Raises:
            UserError: it cannot be used.
        """
        from data.datasets import read_parallel_texts
        from data.user_files.columns import ParallelFiles

        source, target = languages or (self.source, self.target)
        files = ParallelFiles(
            source,
            target,
            self.target_file,
            self.validation_file,
            self.validation_target_file,
            self.test_file,
            self.test_target_file,
            self.source_column,
            self.target_column,
        )
        return read_parallel_texts(
            self.dataset, sample, self.data_dir, files, self.sample_sides, self.sides
        )

    def __post_init__(self) -> None:
        if self.source == self.target:
            raise UserError(
                f"--source and --target are both {self.source!r}. Choose two {self.sides}"
            )
        super().__post_init__()


@dataclass(frozen=True)
class TranslationConfig(PairsConfig):
    """All options of a translator."""


@dataclass(frozen=True)
class Seq2SeqExportOptions(ExportOptions):
    """How the exported model searches; None leaves the training's options."""

    title: ClassVar[str] = "search"

    beam_width: int | None = option(None, "beam width, if not that of train; 1: greedy", at_least=1)
    length_penalty: float | None = option(
        None, "length penalty, if not that of train", at_least=0.0
    )
    coverage_penalty: float | None = option(
        None, "coverage penalty, if not that of train", at_least=0.0
    )
    replace_unknown: bool | None = option(None, "replacement of unknown words, if not as in train")
    min_length: int | None = option(
        None, "fewest tokens of an answer, if not as in train", at_least=0
    )
    max_length: int | None = option(
        None, "most tokens of an answer, if not as in train", at_least=1
    )
    no_repeat_ngram: int | None = option(
        None, "length of n-grams that occur once at most, if not as in train", at_least=0
    )


@dataclass(frozen=True)
class Seq2SeqPredictOptions(Seq2SeqExportOptions, TextPredictOptions):
    """How texts are answered, and what is said of the answers."""

    title: ClassVar[str] = "answers"
    # What is written, the name of its column.
    answer: ClassVar[str] = "translation"
    by_tensorflow: ClassVar[tuple[str, ...]] = ("alignment", "highlights")
    main: ClassVar[tuple[str, ...]] = (
        "beam_width",
        "min_length",
        "max_length",
        "n_best",
        "alignment",
        "highlights",
    )

    n_best: int = option(1, "answers to each text, at most --beam-width", at_least=1)
    alignment: bool = option(False, "report and picture of where each word looked")
    highlights: bool = option(False, "report of the words of the source that were copied")
    heat_map: str = option("alignment.png", "picture of --alignment; numbered for several texts")
    temperature: float = option(
        0.0, "divisor of the logits to draw samples from; 0: search", at_least=0.0
    )
    top_k: int = option(0, "number of most probable tokens to draw from; 0: all", at_least=0)
    top_p: float = option(
        1.0, "share of the most probable tokens, taken together, to draw from", at_least=0.0
    )
    seed: int = option(0, "random seed of the samples", at_least=0)

    def __post_init__(self) -> None:
        if not Path(self.heat_map).name:
            raise UserError(f"--heat-map takes a file. Received: {self.heat_map!r}")
        if self.n_best > 1 and (self.alignment or self.highlights or self.temperature):
            raise UserError("--n-best is for beam search alone. Leave the other options out")
        if self.beam_width is not None and self.n_best > self.beam_width:
            raise UserError(
                f"--n-best {self.n_best} needs a beam as wide. Received: --beam-width "
                f"{self.beam_width}"
            )

    def caption(self, answering: Any) -> Callable[[str, dict], str]:
        return lambda text, row: row[self.answer] or text


# What the exported translator does, and what is asked of one.
TranslationExportOptions, TranslationPredictOptions = Seq2SeqExportOptions, Seq2SeqPredictOptions
