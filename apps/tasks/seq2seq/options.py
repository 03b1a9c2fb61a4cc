"""The groups of options of models that turn one text into another."""

from dataclasses import dataclass
from typing import ClassVar

from apps.config.groups import LARGEST_STATE, SHAPE_OPTIONS, InitFromOptions, SplitFileOptions
from apps.config.options import Options, option, redefault
from data.registry import TOKENIZERS
from models.registry import ATTENTIONS

# What a model shares with one of its kind that its training begins with.
_TRANSLATOR_SHAPE = (
    *SHAPE_OPTIONS,
    "bidirectional",
    "tokenizer",
    "vocabulary_size",
    "decoder_units",
    "attention",
    "attention_window",
    "input_feeding",
    "encoder_self_attention",
    "shared_embeddings",
    "tied",
    "copy",
)
# Which of two sides is read, of those that have such options.
_SIDES = ("source", "target", "reversed")


@dataclass(frozen=True)
class ParallelDataOptions(SplitFileOptions):
    """Files and columns of texts and their translations."""

    target_file: str | None = option(
        None, "file of translations, line by line; without it, --dataset has both languages"
    )
    validation_target_file: str | None = option(
        None, "translations of the lines of --validation-file"
    )
    test_target_file: str | None = option(None, "translations of the lines of --test-file")
    source_column: int | None = option(
        None, "column of a table whose header does not name the languages, from 0", at_least=0
    )
    target_column: int | None = option(
        None, "column of the translations; without both, the first two columns", at_least=0
    )
    text_column: str = option("text", "column of a table to predict from")

    def split_files(self) -> dict[str, str | None]:
        names = ("target_file", "validation_target_file", "test_target_file")
        return {**super().split_files(), **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True)
class SideOptions(Options):
    """The two sides of pairs of texts."""

    title: ClassVar[str] = "texts"

    source: str = option("en", "language to translate from, as the data name it")
    target: str = option("fr", "language to translate to")


@dataclass(frozen=True)
class Seq2SeqTextOptions(Options):
    """How a text is read and written."""

    title: ClassVar[str] = "texts"

    tokenizer: str = option("subwords", "what a text is split into", TOKENIZERS)
    vocabulary_size: int = option(
        8000, "tokens of the vocabulary, at most; sub-words have one for both sides", at_least=2
    )
    subword_dropout: float = option(
        0.0,
        "share of merges that are left out of sub-words, by chance and anew in each epoch "
        "(Provilkov et al. 2020)",
        at_least=0.0,
        below=1.0,
    )
    made_up_names: float = option(
        0.0,
        "share of the names on both sides of a pair that made-up ones replace, anew in each epoch, "
        "so that names never seen are copied",
        at_least=0.0,
        at_most=1.0,
    )
    max_length: int = option(
        80, "tokens of a text; longer ones are not trained on, and cut to be answered", at_least=4
    )
    max_source_length: int = option(
        0,
        "tokens of a source that are read, of longer ones in the training, too; 0: --max-length, "
        "and longer ones are not trained on",
        at_least=0,
    )


@dataclass(frozen=True)
class TranslatorOptions(Options):
    """The decoder's size and attention, what it shares with the encoder, and what it copies."""

    title: ClassVar[str] = "translator"

    decoder_units: int = option(
        0,
        "size of the state of the decoder; 0: that of the whole encoder",
        at_least=0,
        at_most=LARGEST_STATE,
    )
    attention: str = option("general", "attention of the decoder", ("none", *ATTENTIONS))
    attention_window: int = option(
        4, "positions on either side that local attention sees", at_least=1
    )
    encoder_self_attention: bool = option(False, "attention among the outputs of the encoder")
    shared_embeddings: bool = option(
        True, "one embedding for both sides, where they have one vocabulary"
    )
    copy: bool = option(
        False, "copying of tokens of the source (See et al. 2017); one vocabulary for both sides"
    )
    coverage: float = option(
        0.0, "weight of the loss for looking at the same places again", at_least=0.0
    )
    monitor: str = option(
        "bleu", "validation metric, of greedy decoding, that chooses the epoch", ("bleu", "chrf")
    )


@dataclass(frozen=True)
class SearchOptions(Options):
    """How answers are searched."""

    title: ClassVar[str] = "search"

    beam_width: int = option(5, "translations that are searched side by side", at_least=1)
    length_penalty: float = option(
        0.8, "power of the length by which scores are divided", at_least=0.0
    )
    coverage_penalty: float = option(
        0.0, "weight of source tokens that the decoder did not look at", at_least=0.0
    )
    min_length: int = option(0, "fewest tokens of an answer", at_least=0)
    no_repeat_ngram: int = option(
        0, "length of n-grams of tokens that occur once at most; 0: any", at_least=0
    )
    replace_unknown: bool = option(
        True, "source word that the decoder looked at in place of an unknown one"
    )


@dataclass(frozen=True)
class TranslatorStart(InitFromOptions):
    """A training that begins with all weights of a model of its own kind."""

    begins_with: ClassVar[tuple[str, ...]] = ("translator",)

    init_from: str | None = redefault(
        InitFromOptions,
        "init_from",
        None,
        "run folder of a model of this kind with whose tokens and weights the training begins",
    )

    def options_from(self, kind: str, trained: dict) -> dict:
        names = (*_TRANSLATOR_SHAPE, *(name for name in _SIDES if hasattr(self, name)))
        return {name: trained[name] for name in names}


@dataclass(frozen=True)
class LanguageModelStart(TranslatorStart):
    """An encoder and a decoder that may begin with a language model, too: both sides are of its
    language."""

    init_from: str | None = redefault(
        InitFromOptions,
        "init_from",
        None,
        "run folder of a language model with whose tokens, vectors and recurrent layers encoder "
        "and decoder begin; or one of a model of this kind, with all of its weights",
    )

    def options_from(self, kind: str, trained: dict) -> dict:
        if kind != "language model":
            return super().options_from(kind, trained)
        self.check_tokenizer(trained, TOKENIZERS, "an encoder and a decoder")
        return {
            **{name: trained[name] for name in (*SHAPE_OPTIONS, "tokenizer", "vocabulary_size")},
            "decoder_units": trained["units"],
            # A step that reads of the attention, too, has weights of other shapes.
            "input_feeding": "none",
        }
