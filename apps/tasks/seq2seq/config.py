"""The options of the translator."""

from dataclasses import dataclass
from pathlib import Path

from apps.config.options import option
from apps.config.training import LARGEST_STATE, TrainingConfig
from data.errors import UserError
from data.registry import TOKENIZERS
from models.registry import ATTENTIONS, CELLS, FEEDINGS


@dataclass(frozen=True)
class TranslationConfig(TrainingConfig):
    """What a translator adds to `TrainingConfig`; the shape is that of Luong et al. (2015), the
    regularisation follows Sennrich & Zhang (2019), "Revisiting Low-Resource Neural Machine
    Translation"."""

    source: str = option("en", "language to translate from, as the data name it")
    target: str = option("fr", "language to translate to")
    target_file: str | None = option(
        None, "translations of the lines of --dataset; without it, that file has both languages"
    )
    validation_file: str | None = option(
        None, "the validation split, if --dataset is a file; else it is cut from that"
    )
    validation_target_file: str | None = option(None, "translations of its lines, as --target-file")
    test_file: str | None = option(None, "likewise the test split")
    test_target_file: str | None = option(None, "translations of its lines")
    source_column: int | None = option(
        None, "column of a table whose header does not name the languages, from 0", at_least=0
    )
    target_column: int | None = option(
        None, "column of the translations; without both, the first two columns", at_least=0
    )
    text_column: str = option("text", "column of a table to predict from")
    tokenizer: str = option("subwords", "what a text is split into", TOKENIZERS)
    vocabulary_size: int = option(
        8000, "tokens of the vocabulary, at most; sub-words have one for both sides", at_least=2
    )
    max_length: int = option(
        80, "tokens of a text; longer ones are not trained on, and cut to be answered", at_least=4
    )
    cell: str = option("lstm", "recurrent cell", CELLS)
    units: int = option(
        256, "state size of each direction of the encoder", at_least=1, at_most=LARGEST_STATE
    )
    decoder_units: int = option(
        0, "state size of the decoder; 0: all of the encoder's", at_least=0, at_most=LARGEST_STATE
    )
    embedding_dim: int = option(256, "size of a token's vector", at_least=1, at_most=LARGEST_STATE)
    attention: str = option("general", "how the decoder looks at the source", ("none", *ATTENTIONS))
    attention_window: int = option(
        4, "positions on either side that local attention sees", at_least=1
    )
    input_feeding: str = option(
        "none",
        "what the next step reads of the attention: nothing, its vector (Luong et al. 2015), or "
        "the context of the state before (Bahdanau et al. 2015); these two train step by step",
        FEEDINGS,
    )
    encoder_self_attention: bool = option(False, "the encoder's outputs look at each other")
    tied: bool = option(True, "the decoder's embedding is its output layer, too")
    shared_embeddings: bool = option(
        True, "one embedding for both sides, where they have one vocabulary"
    )
    dropout: float = option(
        0.3, "share dropped of embeddings, between and after layers", at_least=0.0, below=1.0
    )
    word_dropout: float = option(
        0.1, "share of tokens whose vectors are dropped in a step", at_least=0.0, below=1.0
    )
    label_smoothing: float = option(
        0.1, "share of the wanted distribution that all tokens get", at_least=0.0, below=1.0
    )
    scheduled_sampling: float = option(
        0.0,
        "share of tokens that are the model's own, in the end of the training, which goes step by "
        "step",
        at_least=0.0,
        at_most=1.0,
    )
    batch_size: int = option(64, "examples a step", at_least=1)
    learning_rate: float = option(2e-3, "of Adam, at its highest", at_least=0.0)
    epochs: int = option(30, "passes over the training data, at most", at_least=1)
    patience: int = option(
        8, "epochs without a better validation metric before it stops", at_least=1
    )
    average_weights: float = option(
        0.999,
        "decay of the weights' moving average, which is validated and saved; 0: no average",
        at_least=0.0,
        below=1.0,
    )
    monitor: str = option(
        "bleu", "validation figure, of greedy decoding, that chooses the epoch", ("bleu", "chrf")
    )
    beam_width: int = option(5, "translations that are searched side by side", at_least=1)
    length_penalty: float = option(
        0.8, "power of the length that scores are divided by", at_least=0.0
    )
    coverage_penalty: float = option(
        0.0, "weight of source tokens that were not looked at", at_least=0.0
    )
    replace_unknown: bool = option(
        True, "copy an unknown word of a translation from where it looked"
    )

    def __post_init__(self):
        if self.source == self.target:
            raise UserError(f"--source and --target are both {self.source!r}. Choose two languages")
        if self.attention == "none" and self.input_feeding != "none":
            raise UserError(
                f"--input-feeding {self.input_feeding} needs an --attention. Received: none"
            )


@dataclass(frozen=True)
class TranslationPredictOptions:
    """What `predict` takes instead of the training's options; None leaves these."""

    alignment: bool = option(False, "also tell where each word looked, and draw it")
    heat_map: str = option(
        "alignment.png", "the picture of --alignment; numbered for several texts"
    )
    beam_width: int | None = option(None, "as in train; 1 is greedy", at_least=1)
    length_penalty: float | None = option(None, "as in train", at_least=0.0)
    coverage_penalty: float | None = option(None, "as in train", at_least=0.0)
    n_best: int = option(1, "translations of each text, at most --beam-width", at_least=1)
    temperature: float = option(
        0.0, "draw samples from logits divided by it; 0: search", at_least=0.0
    )
    top_k: int = option(0, "draw from this many most probable tokens; 0: all", at_least=0)
    top_p: float = option(1.0, "draw from the most probable ones with this share", at_least=0.0)
    seed: int = option(0, "of the samples", at_least=0)
    replace_unknown: bool | None = option(None, "as in train")

    def __post_init__(self):
        if not Path(self.heat_map).name:
            raise UserError(f"--heat-map takes a file. Received: {self.heat_map!r}")
        if self.n_best > 1 and (self.alignment or self.temperature):
            raise UserError("--n-best is for beam search alone. Leave the other options out")
        if self.beam_width is not None and self.n_best > self.beam_width:
            raise UserError(
                f"--n-best {self.n_best} needs a beam as wide. Received: --beam-width "
                f"{self.beam_width}"
            )


@dataclass(frozen=True)
class TranslationExportOptions:
    """What `export` takes instead of the training's options: what the SavedModel does."""

    beam_width: int | None = option(None, "as in train; 1 is greedy", at_least=1)
    length_penalty: float | None = option(None, "as in train", at_least=0.0)
    coverage_penalty: float | None = option(None, "as in train", at_least=0.0)
    replace_unknown: bool | None = option(None, "as in train")
