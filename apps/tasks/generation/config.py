"""The options of language models, of their training and of what they generate."""

from dataclasses import dataclass

from apps.config.options import option
from apps.config.training import LARGEST_STATE, TrainingConfig
from data.errors import UserError
from data.registry import CLASSIFIER_TOKENS, TAGGER_TOKENS, TOKENIZERS
from models.decoding.options import DecodingOptions
from models.registry import CELLS

# What other applications have, and why this one has not.
_WITHOUT = {
    "bidirectional": "a model that reads backward knows what it should predict",
    "batch_tokens": "each row of a batch goes on where it has ended",
    "vectors": "its vectors are learned",
    "freeze_vectors": "its vectors are learned",
    "ensemble": "it is the answers of classifiers that are averaged",
}


@dataclass(frozen=True)
class GenerationConfig(TrainingConfig):
    """What a language model adds to `TrainingConfig`; regularisation is that of Merity et al.
    (2018)."""

    cell: str = option("lstm", "recurrent cell", CELLS)
    units: int = option(256, "state size of each layer", at_least=1, at_most=LARGEST_STATE)
    bidirectional: bool = option(False, "not for language models")
    batch_size: int = option(32, "streams of text, a window of each a step", at_least=1)
    sequence_length: int = option(128, "tokens of a window: gradients go no further", at_least=1)
    devices: int = option(1, "streams are read by one device", at_least=1, at_most=1)
    dropout: float = option(0.2, "share dropped between and after layers", at_least=0.0, below=1.0)
    input_dropout: float = option(
        0.1, "share dropped of the tokens' vectors", at_least=0.0, below=1.0
    )
    embedding_dropout: float = option(
        0.0, "share of the vocabulary whose vectors are dropped in a step", at_least=0.0, below=1.0
    )
    embedding_dim: int = option(128, "size of a token's vector", at_least=1, at_most=LARGEST_STATE)
    tied: bool = option(False, "the output's weights are the vectors of the tokens")
    activation_penalty: float = option(
        0.0, "times the mean square of the last layer's output (AR)", at_least=0.0
    )
    slowness_penalty: float = option(
        0.0, "times the mean square of its change from step to step (TAR)", at_least=0.0
    )
    candidates: int = option(
        0, "tokens against which the right one is trained (sampled softmax); 0: all", at_least=0
    )
    tokenizer: str = option(
        "characters",
        "what a text is split into; *-tokens are those of classifiers and taggers",
        (*TOKENIZERS, *CLASSIFIER_TOKENS, TAGGER_TOKENS),
    )
    vocabulary_size: int = option(10_000, "different tokens, at most", at_least=2)
    text_column: str = option("text", "column of a table with the texts")
    label_column: str = option("label", "column with the class, for --conditioned")
    split_column: str = option("split", "column with the split, used if the table has it")
    conditioned: bool = option(False, "texts follow from their class: predict --condition CLASS")
    validation_file: str | None = option(
        None, "the validation split, if --dataset is a file or folder; else it is cut from that"
    )
    test_file: str | None = option(None, "likewise the test split")
    init_from: str | None = option(
        None, "run of a language model whose tokens and weights the training begins with"
    )
    sample_length: int = option(
        200, "tokens of the sample that each epoch ends with; 0: none", at_least=0
    )
    monitor: str = option(
        "log_likelihood", "validation figure that chooses the epoch", ("log_likelihood",)
    )

    def __post_init__(self):
        for name, reason in _WITHOUT.items():
            if getattr(self, name):
                flag = name.replace("_", "-")
                raise UserError(f"a language model takes no --{flag}: {reason}. Leave it out")


@dataclass(frozen=True)
class GenerationOptions(DecodingOptions):
    """How texts are continued."""

    max_length: int = option(
        DecodingOptions.max_length, "tokens that are added, at most", at_least=1
    )
    temperature: float = option(
        DecodingOptions.temperature,
        "below 1: likely tokens more often, above: less; 0: the likeliest",
        at_least=0.0,
    )
    top_k: int = option(
        DecodingOptions.top_k, "choose among so many likeliest tokens; 0: all", at_least=0
    )
    top_p: float = option(
        DecodingOptions.top_p,
        "choose among the likeliest that have this share together",
        at_least=0.0,
        at_most=1.0,
    )
    min_p: float = option(
        DecodingOptions.min_p,
        "choose among tokens this share as likely as the likeliest",
        at_least=0.0,
        at_most=1.0,
    )
    greedy: bool = option(DecodingOptions.greedy, "always the likeliest token, as --temperature 0")
    beam_width: int = option(
        DecodingOptions.beam_width,
        "search for the likeliest text with so many beginnings; 0: choose by chance",
        at_least=0,
    )
    length_penalty: float = option(
        DecodingOptions.length_penalty,
        "above 0: beams favour longer texts (Wu et al. 2016)",
        at_least=0.0,
    )
    repetition_penalty: float = option(
        DecodingOptions.repetition_penalty,
        "above 1: tokens that the text has are less likely",
        at_least=1.0,
    )
    no_repeat_ngram: int = option(
        DecodingOptions.no_repeat_ngram, "no run of so many tokens comes twice; 0: any", at_least=0
    )
    stop: tuple[str, ...] = option(DecodingOptions.stop, "strings before which a text ends")
    seed: int = option(
        DecodingOptions.seed,
        "of what is chosen by chance; the same seed, the same text",
        at_least=0,
    )
    condition: str | None = option(None, "class of the texts, of a model trained --conditioned")

    def __post_init__(self):
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


@dataclass(frozen=True)
class PredictOptions(GenerationOptions):
    """What `predict` knows beside it."""

    interactive: bool = option(False, "offer the next token's choices again and again")
    complete: bool = option(False, "answer each line by the one that follows it, as in a chat")

    def __post_init__(self):
        super().__post_init__()
        if self.interactive and self.complete:
            raise UserError("--interactive and --complete exclude each other. Leave one out")
        if self.complete and "\n" not in self.stop:
            # Frozen: this is how a dataclass sets what follows from its fields.
            object.__setattr__(self, "stop", (*self.stop, "\n"))

    @property
    def needs_no_text(self) -> bool:
        """Whether `predict` may be called without texts and without a file."""
        return self.interactive or self.complete
