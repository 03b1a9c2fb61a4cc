"""The options of every text classifier."""

from dataclasses import dataclass
from typing import ClassVar

from apps.config.options import option
from apps.config.training import TrainingConfig
from data.errors import UserError, list_values
from data.registry import STANDARDIZERS, TRUNCATIONS
from models.registry import POOLINGS, THRESHOLDS


@dataclass(frozen=True)
class ClassificationConfig(TrainingConfig):
    """What a text classifier adds to `TrainingConfig`."""

    classifies: ClassVar[bool] = True
    begins_with: ClassVar[tuple[str, ...]] = ("text_generation", "classifier")

    text_column: str = option("text", "column of a user's file with the texts")
    label_column: str = option(
        "label", "column with the class; several 0/1 columns, separated by commas: multi-label"
    )
    split_column: str = option("split", "column with the split, used if the file has it")
    label_separator: str = option("", "splits a label cell into several classes (multi-label)")
    standardize: str = option("tweet", "clean-up of texts", STANDARDIZERS)
    max_length: int = option(200, "tokens kept of a text", at_least=1)
    truncate: str = option(
        "head", "part kept of a longer text; head-tail: a quarter is of its head", TRUNCATIONS
    )
    max_tokens: int = option(30_000, "size of the vocabulary, at most", at_least=2)
    min_count: int = option(2, "rarer tokens count as unknown", at_least=1)
    open_vocabulary: int = option(
        0,
        "words of --vectors, from its head, that join the vocabulary, with vectors as they are",
        at_least=0,
    )
    characters: bool = option(True, "also read the letters of each token")
    max_word_length: int = option(16, "letters kept from the head of a token", at_least=1)
    word_dropout: float = option(
        0.0, "share of words dropped as a whole in a training step", at_least=0.0, below=1.0
    )
    pooling: tuple[str, ...] = option(
        ("max", "attention"), "from the sequence to one vector; several are joined", POOLINGS
    )
    linear: bool = option(
        False, "add a linear model of n-grams, weighed against the recurrent one on validation"
    )
    class_weight: float = option(
        0.0, "weigh classes by this power of their inverse frequency", at_least=0.0
    )
    focal_gamma: float = option(
        0.0, "focus on hard examples (focal loss); 0: cross-entropy", at_least=0.0
    )
    label_smoothing: float = option(
        0.0, "share of the target spread over all classes", at_least=0.0, below=1.0
    )
    votes: bool = option(True, "learn the annotators' shares where the corpus has them")
    monitor: str = option(
        "average_precision",
        "validation figure that chooses the epoch",
        ("average_precision", "macro_f1", "accuracy"),
    )
    thresholds: str = option(
        "prior",
        "for the best macro-F1 on validation: a power of the class frequencies, or one a class",
        THRESHOLDS,
    )
    min_precision: tuple[str, ...] = option(
        (), "CLASS=P: the threshold of that class gives it this precision on validation"
    )

    init_from: str | None = option(
        None,
        "run of a language model of tokens, or of a classifier, whose weights the training begins "
        "with",
    )
    layer_decay: float = option(
        0.5,
        "with --init-from: the learning rate falls by it from layer to layer, downwards",
        at_least=0.0,
        at_most=1.0,
    )
    unfreeze: float = option(
        0.5, "with --init-from: epochs until the next lower layer learns, too", at_least=0.0
    )

    def precisions(self, class_names: tuple[str, ...]) -> dict[int, float]:
        """The precisions wanted of single classes, by position.

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
