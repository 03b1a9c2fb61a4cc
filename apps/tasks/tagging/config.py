"""The options of every tagger."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from apps.config.ensembles import EnsembleOptions, TeacherOptions
from apps.config.groups import (
    SHAPE_OPTIONS,
    BatchOptions,
    BidirectionalOptions,
    DeviceOptions,
    InitFromOptions,
    OptimizerOptions,
    RecurrentOptions,
    SplitFileOptions,
    VectorOptions,
)
from apps.config.options import Options, option, redefault
from apps.config.space import Range, Space
from apps.config.training import TrainingConfig
from apps.config.verbs import TextPredictOptions
from data.formats.suffixes import ENTITY_FORMATS, SUBTITLE_SUFFIXES
from data.registry import TAGGER_TOKENS
from models.registry import CHARACTER_ENCODERS, HEADS

if TYPE_CHECKING:  # options are read without TensorFlow and pandas
    from apps.serving.answering import Answering
    from data.examples.tagged import TaggedCorpus

# What further decides the shapes of a tagger's weights.
_TAGGER_SHAPE = ("bidirectional", "characters", "max_word_length", "case_features")


@dataclass(frozen=True)
class TaggedDataOptions(SplitFileOptions):
    """Columns of a user's file of tagged texts."""

    token_column: int = option(0, "column of a CoNLL file with the tokens, from 0; -1: the last")
    tag_column: int = option(-1, "column of a CoNLL file with the tags, from 0; -1: the last")
    text_column: str = option("text", "column of a .jsonl or .parquet file with the texts")
    spans_column: str = option("spans", "column with the spans of a text: start, end, type")
    split_column: str = option("split", "column with the split, used if the file has it")

    def read_corpus(
        self, sample: str, types: tuple[str, ...] = (), original: bool = False
    ) -> "TaggedCorpus":
        """Reads the data set that the options name.

        Args:
            sample: the name of the file that `--dataset sample` means.
            types: the entity types of a trained model, to measure it on the data.
            original: no matter: original files of these corpora are read without TensorFlow.

        Raises:
            UserError: it cannot be used.
        """
        from data.datasets import read_tagged_texts
        from data.user_files.columns import TaggedColumns

        columns = TaggedColumns(
            self.token_column,
            self.tag_column,
            self.text_column,
            self.spans_column,
            self.split_column,
        )
        files = (self.validation_file, self.test_file)
        return read_tagged_texts(self.dataset, sample, self.data_dir, columns, *files, types)


@dataclass(frozen=True)
class TaggerTextOptions(Options):
    """How a text is read."""

    title: ClassVar[str] = "texts"

    max_length: int = option(
        128, "tokens of a window; longer texts are read in several", at_least=4
    )
    overlap: int = option(
        16, "tokens at each end of a window that its neighbour answers", at_least=0
    )
    lowercase: bool = option(
        True, "look-up of words in lower case; off: only of words unknown as they are"
    )
    case_features: bool = option(True, "reading of how a word is written, too: Lyon, NATO, 1996")
    max_tokens: int = option(100_000, "words of the vocabulary, at most", at_least=2)
    min_count: int = option(2, "count below which a word is unknown", at_least=1)
    characters: str = option(
        "convolution", "encoder of a word's letters", ("none", *CHARACTER_ENCODERS)
    )
    max_word_length: int = option(20, "letters kept from the head of a word", at_least=1)


@dataclass(frozen=True)
class TaggerOptions(Options):
    """The layers of a tagger above the recurrent ones, its loss and its decisions."""

    title: ClassVar[str] = "tagger"

    head: str = option(
        "crf", "scores of whole sequences of tags (crf) or of each tag alone (softmax)", HEADS
    )
    constrained: bool = option(True, "transitions of the CRF limited to valid BIO sequences")
    word_dropout: float = option(
        0.05,
        "share of words whose vectors are dropped in a training step; letters stay",
        at_least=0.0,
        below=1.0,
    )
    class_weight: float = option(
        0.0, "power of a tag's inverse frequency that weighs it in the loss", at_least=0.0
    )
    outside_shift: bool = option(
        True, "shift of the score of no entity to where F1 on the validation split is best"
    )
    refit: bool = option(
        False,
        "second training, as long, on training and validation split, once validation has chosen "
        "epoch and shift",
    )
    monitor: str = option(
        "f1", "validation metric that chooses the epoch", ("f1", "token_accuracy")
    )


@dataclass(frozen=True)
class TaggingConfig(
    InitFromOptions,
    VectorOptions,
    TaggerOptions,
    BidirectionalOptions,
    RecurrentOptions,
    TaggerTextOptions,
    TaggedDataOptions,
    DeviceOptions,
    BatchOptions,
    TeacherOptions,
    EnsembleOptions,
    TrainingConfig,
):
    """All options of a tagger; defaults that differ from `TrainingConfig` follow Lample et al.
    (2016) and Ma & Hovy (2016), and are not tuned."""

    kind: ClassVar[str] = "tagger"
    search_space: ClassVar[Space] = {
        "learning_rate": Range(5e-4, 1e-2, log=True),
        "batch_size": (8, 16, 32, 64),
        "cell": ("gru", "lstm"),
        "units": Range(64, 256, step=32),
        "dropout": Range(0.1, 0.6, step=0.1),
        "word_dropout": Range(0.0, 0.2, step=0.05),
        "average_weights": (0.0, 0.99, 0.999),
        "characters": ("convolution", "recurrent"),
    }
    main: ClassVar[tuple[str, ...]] = (
        "dataset",
        "data_dir",
        "vectors",
        "epochs",
        "batch_size",
        "learning_rate",
        "units",
        "seed",
    )
    begins_with: ClassVar[tuple[str, ...]] = ("tagger", "language model")

    cell: str = redefault(RecurrentOptions, "cell", "lstm")
    units: int = redefault(RecurrentOptions, "units", 128)
    dropout: float = redefault(RecurrentOptions, "dropout", 0.5)
    batch_size: int = redefault(BatchOptions, "batch_size", 32)
    clip_norm: float = redefault(OptimizerOptions, "clip_norm", 5.0)
    epochs: int = redefault(OptimizerOptions, "epochs", 30)
    patience: int = redefault(OptimizerOptions, "patience", 8)
    init_from: str | None = redefault(
        InitFromOptions,
        "init_from",
        None,
        "run folder of a tagger, of whatever types, with whose weights the training begins, or of "
        "a language model of tagger-tokens, which is read beside the words",
    )

    def options_from(self, kind: str, trained: dict) -> dict:
        if kind == "tagger":
            return {name: trained[name] for name in (*SHAPE_OPTIONS, *_TAGGER_SHAPE)}
        # It is read as it is, beside layers of the tagger's own.
        self.check_tokenizer(trained, (TAGGER_TOKENS,), "taggers")
        return {}


@dataclass(frozen=True)
class TagPredictOptions(TextPredictOptions):
    """Answers as texts with entities: JSON lines, columns of tokens, tables or a page."""

    main: ClassVar[tuple[str, ...]] = ("csv_safe", "format")
    formats: ClassVar[tuple[str, ...]] = (
        *ENTITY_FORMATS,
        *(suffix.removeprefix(".") for suffix in SUBTITLE_SUFFIXES),
    )

    format: str | None = option(
        None, "format of the output (default: as the suffix of --output)", ENTITY_FORMATS
    )

    def suffixes(self) -> Mapping[str, object]:
        return {} if self.format else super().suffixes()

    def place(self, output: str | None) -> str | None:
        return output or "-" if self.format else output

    def writer(self, source: str | None, column: str, answering: "Answering") -> Callable:
        from data.formats.entity_writers import entity_writer

        return functools.partial(
            entity_writer, format=self.format, column=column, csv_safe=self.csv_safe
        )

    def caption(self, answering: "Answering") -> Callable[[str, dict], str]:
        from apps.tasks.tagging.spans_on_screen import mark_spans

        return lambda text, row: mark_spans(text, row["entities"] or [], coloured=False)
