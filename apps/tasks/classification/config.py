"""The options of every text classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from apps.config.ensembles import EnsembleOptions, TeacherOptions
from apps.config.groups import (
    SHAPE_OPTIONS,
    BatchOptions,
    BidirectionalOptions,
    DeviceOptions,
    InitFromOptions,
    RDropOptions,
    RecurrentOptions,
    SplitFileOptions,
    VectorOptions,
)
from apps.config.options import Options, option, redefault
from apps.config.space import Range, Space
from apps.config.training import TrainingConfig
from data.errors import UserError, list_values
from data.registry import CLASSIFIER_TOKENS, STANDARDIZERS, TRUNCATIONS
from models.registry import POOLINGS, THRESHOLDS

if TYPE_CHECKING:  # a command that only prints its help must not wait for the readers
    from data.examples.labelled import LabelledCorpus

# What further decides the shapes of a classifier's weights, and what they mean.
_CLASSIFIER_SHAPE = ("bidirectional", "characters", "max_word_length", "pooling", "standardize")


@dataclass(frozen=True)
class LabelledDataOptions(SplitFileOptions):
    """Columns of a user's file of labelled texts."""

    text_column: str = option("text", "column of a user's file with the texts")
    label_column: str = option(
        "label", "column with the class; several 0/1 columns, separated by commas: multi-label"
    )
    split_column: str = option("split", "column with the split, used if the file has it")
    label_separator: str = option(
        "", "separator of several classes in a label cell (multi-label); empty: one class"
    )

    def read_corpus(
        self, sample: str, class_names: tuple[str, ...] = (), original: bool = False
    ) -> "LabelledCorpus":
        """Reads the data set that the options name, without TensorFlow if it is `original`.

        Args:
            sample: the name of the file that `--dataset sample` means.
            class_names: the classes of a trained model, to measure it on the data.
            original: see `data.datasets.read_labelled_texts`.

        Raises:
            UserError: it cannot be used.
        """
        from data.datasets import read_labelled_texts
        from data.user_files.columns import LabelledColumns

        columns = LabelledColumns(
            self.text_column, self.label_column, self.split_column, self.label_separator
        )
        return read_labelled_texts(
            self.dataset,
            sample,
            self.data_dir,
            columns,
            class_names,
            original,
            self.validation_file,
            self.test_file,
        )

    def check_measurable(self, corpus: "LabelledCorpus", details: Mapping[str, Any]) -> None:
        """Refuses labels of another kind than the trained model's; see the base class."""
        trained = details.get("multi_label")
        # A run whose description is damaged is refused as it is loaded.
        if trained is not None and corpus.multi_label != trained:
            kinds = {False: "one label a text", True: "any number of labels a text"}
            raise UserError(
                f"{corpus.name} has {kinds[corpus.multi_label]}, the model was trained for "
                f"{kinds[trained]}. Check --label-column and --label-separator"
            )


@dataclass(frozen=True)
class ClassifierTextOptions(Options):
    """How a text is read."""

    title: ClassVar[str] = "texts"

    standardize: str = option("tweet", "clean-up of texts", STANDARDIZERS)
    max_length: int = option(200, "tokens kept of a text, at most", at_least=1)
    truncate: str = option(
        "head", "part kept of a longer text; head-tail: a quarter is of its head", TRUNCATIONS
    )
    max_tokens: int = option(30_000, "size of the vocabulary, at most", at_least=2)
    min_count: int = option(2, "count below which a token is unknown", at_least=1)
    characters: bool = option(True, "reading of each token's letters, too")
    max_word_length: int = option(16, "letters kept from the head of a token", at_least=1)


@dataclass(frozen=True)
class ClassifierOptions(Options):
    """The layers of a classifier above the recurrent ones, its loss and its decisions."""

    title: ClassVar[str] = "classifier"

    word_dropout: float = option(
        0.0, "share of words dropped as a whole in a training step", at_least=0.0, below=1.0
    )
    adversarial: float = option(
        0.0,
        "adversarial training: distance by which vectors are moved to where the loss grows, such "
        "as 5; 0: none",
        at_least=0.0,
    )
    pooling: tuple[str, ...] = option(
        ("max", "attention"), "ways from the sequence to one vector, joined if several", POOLINGS
    )
    linear: bool = option(
        False, "additional linear model of n-grams, weighed on validation against the recurrent one"
    )
    class_weight: float = option(
        0.0, "power of a class' inverse frequency that weighs it in the loss", at_least=0.0
    )
    focal_gamma: float = option(
        0.0, "focus of the loss on hard examples (focal loss); 0: cross-entropy", at_least=0.0
    )
    label_smoothing: float = option(
        0.0, "share of the target spread over all classes", at_least=0.0, below=1.0
    )
    votes: bool = option(True, "training on annotators' shares where the corpus has them")
    monitor: str = option(
        "average_precision",
        "validation metric that chooses the epoch",
        ("average_precision", "macro_f1", "accuracy"),
    )
    thresholds: str = option(
        "prior",
        "thresholds for the best macro-F1 on validation: a power of the class frequencies, or one "
        "a class",
        THRESHOLDS,
    )
    min_precision: tuple[str, ...] = option(
        (), "CLASS=P, the precision on validation to which the threshold of a class is set"
    )


@dataclass(frozen=True)
class ClassifierInitFromOptions(InitFromOptions):
    """What a classifier may begin with, and how its layers learn then."""

    begins_with: ClassVar[tuple[str, ...]] = ("language model", "classifier")

    init_from: str | None = redefault(
        InitFromOptions,
        "init_from",
        None,
        "run folder of a language model of tokens, or of a classifier, with whose weights the "
        "training begins",
    )
    layer_decay: float = option(
        0.5,
        "factor of the learning rate from layer to layer downwards, with --init-from",
        at_least=0.0,
        at_most=1.0,
    )
    unfreeze: float = option(
        0.5, "epochs until the next lower layer learns, too, with --init-from", at_least=0.0
    )

    def options_from(self, kind: str, trained: dict) -> dict:
        # The vocabulary of the trained model has its vectors already.
        follow: dict[str, Any] = {"vectors": None, "open_vocabulary": 0}
        if kind == "classifier":
            return follow | {name: trained[name] for name in (*SHAPE_OPTIONS, *_CLASSIFIER_SHAPE)}
        self.check_tokenizer(trained, CLASSIFIER_TOKENS, "classifiers")
        standardize = CLASSIFIER_TOKENS[trained["tokenizer"]]
        backward = trained.get("backward", False)
        if backward and trained["num_layers"] > 1:
            raise UserError(
                f"the language model in {self.init_from} has several layers in each direction, and "
                "the second of a classifier would read both. Train one with --num-layers 1, or "
                "without --backward"
            )
        follow |= {"standardize": standardize, "bidirectional": backward, "characters": False}
        return follow | {name: trained[name] for name in SHAPE_OPTIONS}


@dataclass(frozen=True)
class ClassificationConfig(
    ClassifierInitFromOptions,
    VectorOptions,
    TeacherOptions,
    EnsembleOptions,
    ClassifierOptions,
    BidirectionalOptions,
    RDropOptions,
    RecurrentOptions,
    ClassifierTextOptions,
    LabelledDataOptions,
    DeviceOptions,
    BatchOptions,
    TrainingConfig,
):
    """All options of a text classifier."""

    kind: ClassVar[str] = "classifier"
    search_space: ClassVar[Space] = {
        "learning_rate": Range(5e-4, 1e-2, log=True),
        "batch_size": (16, 32, 64, 128),
        "cell": ("gru", "lstm"),
        "units": Range(48, 192, step=16),
        "embedding_dim": (32, 64, 96, 128),
        "dropout": Range(0.1, 0.6, step=0.1),
        "word_dropout": Range(0.0, 0.2, step=0.05),
        "average_weights": (0.0, 0.99, 0.999),
        "label_smoothing": (0.0, 0.05, 0.1),
    }
    main: ClassVar[tuple[str, ...]] = (
        "dataset",
        "data_dir",
        "text_column",
        "label_column",
        "epochs",
        "batch_size",
        "learning_rate",
        "units",
    )

    def precisions(self, class_names: tuple[str, ...]) -> dict[int, float]:
        """Returns the precisions wanted of single classes, by position.

        Raises:
            UserError: `--min-precision` says something else.
        """
        wanted = {}
        for entry in self.min_precision:
            name, _, number = entry.rpartition("=")
            try:
                precision = float(number)
            except ValueError:
                precision = 0.0
            if name not in class_names or not 0.0 < precision <= 1.0:
                raise UserError(
                    "--min-precision takes CLASS=P, P above 0 and at most 1. Received: "
                    f"{entry!r}. Classes: {list_values(class_names, 12)}"
                )
            wanted[class_names.index(name)] = precision
        return wanted
