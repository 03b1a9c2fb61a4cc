"""The options of the captioner."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from apps.config.decoder import DecoderOptions, SelfCriticalOptions
from apps.config.ensembles import EnsembleOptions
from apps.config.groups import (
    SHAPE_OPTIONS,
    BatchOptions,
    DeviceOptions,
    InitFromOptions,
    OptimizerOptions,
    RecurrentOptions,
    SplitFileOptions,
)
from apps.config.options import Options, option, redefault
from apps.config.space import Range, Space
from apps.config.training import TrainingConfig
from apps.config.verbs import ExportOptions, PredictOptions
from data.errors import UserError, did_you_mean
from data.formats.suffixes import ROW_SUFFIXES, STANDARD_STREAM
from data.registry import TOKENIZERS
from models.registry import IMAGE_ENCODERS, KERAS_BACKBONES, PLACE_ATTENTIONS

if TYPE_CHECKING:  # a command that only prints its help must not wait for the readers
    from data.examples.captions import CaptionCorpus

# What a captioner shares with the one that its training begins with.
_CAPTIONER_SHAPE = (
    "tokenizer",
    "vocabulary_size",
    "tied",
    "encoder",
    "picture_size",
    "attention",
    "input_feeding",
)
# The sides of the pictures that suit an encoder, in pixels; 224 for all others.
_PICTURE_SIZES = {"small-cnn": 64}


@dataclass(frozen=True)
class CaptionedDataOptions(SplitFileOptions):
    """Files of pictures and captions, and their columns."""

    image_column: str = option("image", "column of a table with the paths of pictures")
    caption_column: str = option("caption", "column of a table with the captions")
    split_column: str = option("split", "column of a table with the split, if it has one")
    images: str | None = option(
        None, "folder of the pictures; without it, that of the file that names them"
    )

    @property
    def text_column(self) -> str:
        """The column of a table to predict from."""
        return self.image_column


@dataclass(frozen=True)
class CaptionTextOptions(Options):
    """How captions are written."""

    title: ClassVar[str] = "captions"

    tokenizer: str = option("words", "what a caption is split into", TOKENIZERS)
    vocabulary_size: int = option(4000, "tokens of the vocabulary, at most", at_least=2)
    max_length: int = option(
        40, "tokens of a caption; longer ones are not trained on", at_least=4, at_most=10_000
    )


@dataclass(frozen=True)
class CaptionerOptions(Options):
    """The encoder, the attention to what it sees, and its loss."""

    title: ClassVar[str] = "captioner"

    encoder: str = option(
        "small-cnn",
        "image encoder: small-cnn, which learns with the decoder, or a trained one: "
        "efficientnet-lite0 or one of keras.applications, such as MobileNetV2",
    )
    encoder_weights: str | None = option(
        None,
        "file with the weights of a trained encoder; without it, those of the package or of "
        "Keras' cache; none are downloaded",
    )
    picture_size: int = option(
        0,
        "sides of the square that is read of a picture, in pixels; 0: what suits the encoder",
        at_least=0,
        at_most=1024,
    )
    fine_tune: bool = option(
        False,
        "a trained encoder learns, too: slowly, from a captioner that has learned before "
        "(--init-from, --learning-rate 1e-4)",
    )
    augment: bool = option(False, "random shifts of the pictures, for an encoder that learns")
    mirror: bool = option(
        False,
        "pictures left for right by chance; not for captions that tell left from right",
    )
    attention: str = option("general", "attention to the places", ("none", *PLACE_ATTENTIONS))
    doubly_stochastic: float = option(
        0.0,
        "weight of the loss for places that a caption looks at more or less than once (Xu et al. "
        "2015)",
        at_least=0.0,
    )
    monitor: str = option(
        "cider_d",
        "validation metric, of greedy decoding, that chooses the epoch",
        ("cider_d", "bleu_4", "rouge_l", "chrf", "exact"),
    )

    @property
    def pixels(self) -> int:
        """The sides of what is read of a picture."""
        return self.picture_size or _PICTURE_SIZES.get(self.encoder, 224)

    def check(self) -> None:
        super().check()
        names = (*IMAGE_ENCODERS, *KERAS_BACKBONES)
        if self.encoder not in names:
            raise UserError(
                f"unknown --encoder {self.encoder!r}. Choose {', '.join(IMAGE_ENCODERS)} or one of "
                f"keras.applications{did_you_mean(self.encoder, names)}"
            )
        learns = self.encoder == "small-cnn"
        if self.fine_tune and learns:
            raise UserError("--fine-tune is for trained encoders, small-cnn learns. Leave it out")
        if self.augment and not learns and not self.fine_tune:
            raise UserError(
                f"--augment is for an encoder that learns, {self.encoder} stays as it is. Leave it "
                "out, or add --fine-tune"
            )


@dataclass(frozen=True)
class CaptionSearchOptions(Options):
    """How captions are searched."""

    title: ClassVar[str] = "search"

    beam_width: int = option(3, "captions that are searched side by side", at_least=1)
    length_penalty: float = option(
        0.0, "power of the length by which scores are divided", at_least=0.0
    )


@dataclass(frozen=True)
class CaptioningConfig(
    SelfCriticalOptions,
    InitFromOptions,
    CaptionSearchOptions,
    CaptionerOptions,
    DecoderOptions,
    RecurrentOptions,
    CaptionTextOptions,
    CaptionedDataOptions,
    DeviceOptions,
    BatchOptions,
    EnsembleOptions,
    TrainingConfig,
):
    """All options of a captioner, after Vinyals et al. (2015) and Xu et al. (2015)."""

    kind: ClassVar[str] = "captioner"
    search_space: ClassVar[Space] = {
        "learning_rate": Range(5e-4, 1e-2, log=True),
        "batch_size": (8, 16, 32),
        "cell": ("gru", "lstm"),
        "units": Range(96, 320, step=32),
        "attention": ("none", "dot", "general", "additive"),
        "dropout": Range(0.1, 0.5, step=0.1),
        "label_smoothing": (0.0, 0.05, 0.1),
        "average_weights": (0.0, 0.99, 0.999),
    }
    bidirectional: ClassVar[bool] = False
    begins_with: ClassVar[tuple[str, ...]] = ("captioner",)
    main: ClassVar[tuple[str, ...]] = (
        "dataset",
        "data_dir",
        "encoder",
        "attention",
        "epochs",
        "batch_size",
        "learning_rate",
        "units",
    )

    units: int = redefault(RecurrentOptions, "units", 256, "size of the state of the decoder")
    embedding_dim: int = redefault(RecurrentOptions, "embedding_dim", 256)
    dropout: float = redefault(
        RecurrentOptions,
        "dropout",
        0.3,
        "share of values dropped of places, embeddings, between and after layers",
    )
    word_dropout: float = redefault(DecoderOptions, "word_dropout", 0.0)
    label_smoothing: float = redefault(DecoderOptions, "label_smoothing", 0.0)
    epochs: int = redefault(OptimizerOptions, "epochs", 20)
    patience: int = redefault(OptimizerOptions, "patience", 5)
    batch_size: int = redefault(BatchOptions, "batch_size", 32, "pictures in a training step")
    average_weights: float = redefault(OptimizerOptions, "average_weights", 0.99)
    init_from: str | None = redefault(
        InitFromOptions,
        "init_from",
        None,
        "run folder of a captioner with whose tokens and weights the training begins",
    )
    self_critical: int = redefault(
        SelfCriticalOptions,
        "self_critical",
        0,
        "captions that are drawn of each picture, two or more, from which a captioner that has "
        "learned before (--init-from) learns by their CIDEr-D (Rennie et al. 2017); 0: none",
    )

    def check(self) -> None:
        super().check()
        if self.attention == "none" and (self.doubly_stochastic or self.input_feeding != "none"):
            raise UserError(
                "--doubly-stochastic and --input-feeding need an --attention. Received: none"
            )

    def options_from(self, kind: str, trained: dict) -> dict:
        return {name: trained[name] for name in (*SHAPE_OPTIONS, *_CAPTIONER_SHAPE)}

    def read_corpus(
        self, sample: str, class_names: tuple[str, ...] = (), original: bool = False
    ) -> "CaptionCorpus":
        """Reads the data set that the options name.

        Args:
            sample: no matter: the sample is drawn.
            class_names: no matter: captions have none.
            original: no matter: these corpora are read without TensorFlow.

        Raises:
            UserError: it cannot be used.
        """
        from data.datasets import read_captioned_pictures
        from data.user_files.columns import CaptionFiles

        files = CaptionFiles(
            self.image_column,
            self.caption_column,
            self.split_column,
            self.images,
            self.validation_file,
            self.test_file,
        )
        return read_captioned_pictures(self.dataset, self.data_dir, files)


@dataclass(frozen=True)
class CaptioningExportOptions(ExportOptions):
    """How the exported model searches; None leaves the training's options."""

    title: ClassVar[str] = "search"

    beam_width: int | None = option(None, "beam width, if not that of train; 1: greedy", at_least=1)
    length_penalty: float | None = option(
        None, "length penalty, if not that of train", at_least=0.0
    )


@dataclass(frozen=True)
class CaptioningPredictOptions(CaptioningExportOptions, PredictOptions):
    """How pictures are described, and what is shown of it."""

    title: ClassVar[str] = "captioning"
    main: ClassVar[tuple[str, ...]] = ("html", "attention_map", "beam_width", "n_best")
    formats: ClassVar[tuple[str, ...]] = tuple(each.removeprefix(".") for each in ROW_SUFFIXES)
    file_options: ClassVar[tuple[str, ...]] = ("html",)
    texts_help: ClassVar[str] = (
        "pictures, and folders of pictures; without any, a terminal asks for them, line by line"
    )
    texts_name: ClassVar[str] = "PICTURE"
    input_help: ClassVar[str] = (
        "a table (.csv, .tsv, .jsonl, .parquet) with a column of paths, or a list of them (.txt); "
        "-: standard input"
    )

    html: str | None = option(None, "page with the pictures, their captions and the attention")
    attention_map: str | None = option(
        None, "picture of where each word looked; numbered for several pictures"
    )
    n_best: int = option(1, "captions of each picture, at most --beam-width", at_least=1)

    def __post_init__(self) -> None:
        if self.n_best > 1 and (self.html or self.attention_map):
            raise UserError("--n-best shows no attention. Leave --html and --attention-map out")
        if self.attention_map is not None and not Path(self.attention_map).name:
            raise UserError(f"--attention-map takes a file. Received: {self.attention_map!r}")

    @property
    def attention(self) -> bool:
        """Whether the attention is wanted, too."""
        return bool(self.html or self.attention_map)

    @property
    def needs_one_process(self) -> str:
        return "captions are written by one process, which shows where it looked"

    def inputs(self, texts: list[str]) -> list[str]:
        from apps.tasks.captioning.answers import find_pictures

        return find_pictures(texts)

    def place(self, output: str | None) -> str | None:
        # A page is made of the rows that are written.
        return output or (STANDARD_STREAM if self.html else None)

    def writer(self, source: str | None, column: str, answering: Any) -> Callable:
        from apps.tasks.captioning.gallery import illustrated_writer

        # A table names its pictures from where it lies.
        answering.folder = None
        if source is not None and source != STANDARD_STREAM:
            answering.folder = Path(source).parent
        return functools.partial(
            illustrated_writer,
            write_rows=super().writer(source, column, answering),
            column=column,
            page=self.html,
            drawing=self.attention_map,
        )
