"""From the options to units and an untrained translator."""

import math

from apps.tasks.builder import build, recurrent_options
from apps.tasks.seq2seq.config import TranslationConfig
from data.examples.parallel import ParallelTexts
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import TokenizerVocabulary, learn_vocabulary
from models.registry import PRECISIONS
from models.seq2seq.encoder_decoder import Translator


def learned(
    config: TranslationConfig, train: ParallelTexts
) -> tuple[TokenizerVocabulary, TokenizerVocabulary]:
    """The units of the training split, of either side; one object where they share it: words of two
    languages are two vocabularies, what they are made of is one."""
    sides = (train.texts, train.translations)
    if config.unit == "words":
        return tuple(learn_vocabulary("words", side, config.vocabulary_size) for side in sides)
    units = learn_vocabulary(config.unit, [*sides[0], *sides[1]], config.vocabulary_size)
    return units, units


def unit_files(config: TranslationConfig) -> tuple[str, ...]:
    """Names of the files that keep the units."""
    return ("source_units", "target_units") if config.unit == "words" else ("units",)


def tokenizers_of(
    units: tuple[TokenizerVocabulary, TokenizerVocabulary],
) -> tuple[Tokenizer, Tokenizer]:
    """Texts to ids and back, of either side."""
    source = Tokenizer(units[0])
    return source, source if units[0] is units[1] else Tokenizer(units[1])


def sizes(tokenizers: tuple[Tokenizer, Tokenizer]) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    source, target = (tokenizer.vocabulary_size for tokenizer in tokenizers)
    return {"source_vocabulary_size": source, "target_vocabulary_size": target}


def build_translator(
    config: TranslationConfig, tokenizers: tuple[Tokenizer, Tokenizer], rows: int
) -> Translator:
    """The untrained model; `rows` are the pairs to train on.

    Raises:
        UserError: options that do not fit each other, or an unknown initializer.
    """
    settings = {
        **sizes(tokenizers),
        "embedding_dim": config.embedding_dim,
        "recurrent": recurrent_options(config),
        "decoder_units": config.decoder_units,
        "attention": config.attention,
        "window": config.attention_window,
        "feeding": config.input_feeding,
        "self_attention": config.encoder_self_attention,
        "tied": config.tied,
        "shared_embeddings": config.shared_embeddings and tokenizers[0] is tokenizers[1],
        "dropout": config.dropout,
        "word_dropout": config.word_dropout,
        "scheduled_sampling": config.scheduled_sampling,
        "sampling_steps": config.epochs * math.ceil(rows / config.batch_size),
        "dtype": PRECISIONS[config.mixed_precision],
    }
    return build(Translator, settings)
