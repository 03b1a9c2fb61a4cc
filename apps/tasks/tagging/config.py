"""The options of every tagger."""

from dataclasses import dataclass
from typing import ClassVar

from apps.config.options import option
from apps.config.training import LARGEST_STATE, TrainingConfig
from models.registry import CELLS, CHARACTER_ENCODERS, HEADS


@dataclass(frozen=True)
class TaggingConfig(TrainingConfig):
    """What a tagger adds to `TrainingConfig`; defaults that differ follow Lample et al. (2016) and
    Ma & Hovy (2016), and are not tuned."""

    begins_with: ClassVar[tuple[str, ...]] = ("ner", "text_generation")

    cell: str = option("lstm", "recurrent cell", CELLS)
    units: int = option(128, "state size of each direction", at_least=1, at_most=LARGEST_STATE)
    dropout: float = option(
        0.5, "share dropped before, between and after layers", at_least=0.0, below=1.0
    )
    batch_size: int = option(32, "examples a step", at_least=1)
    clip_norm: float = option(
        5.0, "scale gradients down to this global norm; 0: never", at_least=0.0
    )
    epochs: int = option(30, "passes over the training data, at most", at_least=1)
    patience: int = option(
        8, "epochs without a better validation metric before it stops", at_least=1
    )
    validation_file: str | None = option(
        None, "the validation split, if --dataset is a file; else it is cut from that"
    )
    test_file: str | None = option(None, "likewise the test split")
    token_column: int = option(0, "column of a CoNLL file with the tokens, from 0; -1: the last")
    tag_column: int = option(-1, "column of a CoNLL file with the tags")
    text_column: str = option("text", "column of a .jsonl or .parquet file with the texts")
    spans_column: str = option("spans", "column with their spans: start, end, type")
    split_column: str = option("split", "column with the split, used if the file has it")
    head: str = option(
        "crf", "crf scores whole sequences of tags; softmax decides for each token", HEADS
    )
    constrained: bool = option(True, "the CRF forbids sequences that are no BIO")
    max_length: int = option(
        128, "tokens of a window; longer texts are read in several", at_least=4
    )
    overlap: int = option(
        16, "tokens at each end of a window that its neighbour answers", at_least=0
    )
    lowercase: bool = option(True, "look words up in lower case; off: only if they are unknown")
    case_features: bool = option(True, "also read how a word is written: Lyon, NATO, 1996")
    max_tokens: int = option(100_000, "words of the vocabulary, at most", at_least=2)
    min_count: int = option(2, "rarer words count as unknown", at_least=1)
    open_vocabulary: int = option(
        0,
        "words of --vectors, from its head, that join the vocabulary, with vectors as they are",
        at_least=0,
    )
    characters: str = option(
        "convolution", "how the letters of a word are read", ("none", *CHARACTER_ENCODERS)
    )
    max_word_length: int = option(20, "letters kept from the head of a word", at_least=1)
    word_dropout: float = option(
        0.05,
        "share of words whose vectors are dropped in a training step; letters stay",
        at_least=0.0,
        below=1.0,
    )
    class_weight: float = option(
        0.0, "weigh tags by this power of their inverse frequency", at_least=0.0
    )
    init_from: str | None = option(
        None,
        "run of a tagger, of whatever types, whose weights the training begins with, or of a "
        "language model of tagger-tokens, whose memory is read beside the words",
    )
    outside_shift: bool = option(
        True, "shift the score of no entity to where F1 on the validation split is best"
    )
    refit: bool = option(
        False,
        "once validation has chosen epoch and shift, train anew, as long, on its texts, too",
    )
    monitor: str = option(
        "f1", "validation figure that chooses the epoch", ("f1", "token_accuracy")
    )
