"""From the options to vocabularies and an untrained model."""

import math

import keras

from apps.tasks.builder import build, recurrent_options
from apps.tasks.pretrained import TrainedModel
from apps.tasks.seq2seq.config import Seq2SeqConfig
from apps.tasks.seq2seq.options import LanguageModelStart
from data.examples.parallel import ParallelTexts
from data.messages import say
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import NAME, TokenizerVocabulary, learn_vocabulary
from models.optimization.r_drop import RDrop
from models.registry import PRECISIONS
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.gleu import Gleu
from models.seq2seq.search import TranslationSearch
from models.seq2seq.self_critical import SelfCritical
from models.transfer import load_language_model_into_translator


def find_vocabularies(
    config: Seq2SeqConfig, train: ParallelTexts, trained: TrainedModel | None = None
) -> tuple[TokenizerVocabulary, TokenizerVocabulary]:
    """Returns the vocabulary of either side: that of the `trained` language model, or learned."""
    if trained is None:
        return learn_vocabularies(config, train)
    vocabulary = trained.tokenizer_vocabulary
    assert vocabulary is not None, "a language model has one"
    return vocabulary, vocabulary


def learn_vocabularies(
    config: Seq2SeqConfig, train: ParallelTexts
) -> tuple[TokenizerVocabulary, TokenizerVocabulary]:
    """Learns the vocabulary of either side from the training split; one object where both share it.
    Words of two languages are two vocabularies, the parts of words one."""
    sides = [train.texts, train.translations]
    if config.copy:
        sides = [[f" {' '.join(text.split())}" for text in side] for side in sides]
    if not config.shares_vocabulary:
        source, target = (learn_vocabulary("words", side, config.vocabulary_size) for side in sides)
        return source, target
    vocabulary = learn_vocabulary(config.tokenizer, [*sides[0], *sides[1]], config.vocabulary_size)
    return vocabulary, vocabulary


def vocabulary_names(config: Seq2SeqConfig) -> tuple[str, ...]:
    """Names of the vocabularies in a run folder."""
    return (NAME,) if config.shares_vocabulary else ("source_tokenizer", "target_tokenizer")


def build_tokenizers(
    vocabularies: tuple[TokenizerVocabulary, TokenizerVocabulary], spaced: bool = False
) -> tuple[Tokenizer, Tokenizer]:
    """Builds the tokenizer of either side; one object where both share a vocabulary.

    Args:
        vocabularies: of either side.
        spaced: for a model that copies, which could not copy a word of the middle of a text to the
            beginning of an answer if it had other tokens there.
    """
    source, target = vocabularies
    first = Tokenizer(source, spaced)
    return first, first if source is target else Tokenizer(target, spaced)


def sizes(tokenizers: tuple[Tokenizer, Tokenizer]) -> dict[str, int]:
    """Returns the arguments of the model that follow from the data."""
    source, target = (tokenizer.vocabulary_size for tokenizer in tokenizers)
    return {"source_vocabulary_size": source, "target_vocabulary_size": target}


def trained_part(model: Translator, config: Seq2SeqConfig) -> keras.Model:
    """Returns what a training changes: the model itself, or one of the same layers that learns from
    its own answers or by R-Drop."""
    if config.r_drop:
        with model.distribute_strategy.scope():
            return RDrop(model, config.r_drop, name="trained_part")
    if not config.self_critical:
        return model
    search = TranslationSearch(max_length=config.max_length, source_length=config.source_length)
    reward = Gleu(config.rewarded_ngram)
    with model.distribute_strategy.scope():
        return SelfCritical(
            model, reward, config.self_critical, search, config.seed, name="trained_part"
        )


def build_translator(
    config: Seq2SeqConfig,
    tokenizers: tuple[Tokenizer, Tokenizer],
    rows: int,
    trained: TrainedModel | None = None,
) -> Translator:
    """Builds the untrained model, or one whose encoder and decoder have the weights of a `trained`
    language model; `rows` are the pairs to train on.

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
        "copy": config.copy,
        "coverage": config.coverage,
        "dtype": PRECISIONS[config.mixed_precision],
    }
    model = build(Translator, settings)
    if trained is not None:
        assert isinstance(config, LanguageModelStart)
        load_language_model_into_translator(model, trained.model)
        say(f"vectors and recurrent layers: weights from {config.init_from}")
    return model
