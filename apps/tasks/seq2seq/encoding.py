"""The tokens of pairs of texts, as a model is trained on them."""

import numpy as np
import tensorflow as tf

from apps.tasks.seq2seq.config import Seq2SeqConfig
from data.examples.parallel import ParallelTexts
from data.messages import say
from data.text.tokenizer import Tokenizer

# Pairs whose tokens are drawn at once: each character takes a hundred bytes meanwhile.
_CHUNK = 1024


def encode_pairs(
    tokenizers: tuple[Tokenizer, Tokenizer], examples: ParallelTexts
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Encodes both sides of all pairs: <int32>[rows, (length)] each."""
    source, target = tokenizers
    return source.encode_all(examples.texts), target.encode_all(examples.translations)


def draw_pairs(
    tokenizer: Tokenizer, examples: ParallelTexts, dropout: float, seed: tuple[int, int]
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Encodes both sides of all pairs by chance, see `Tokenizer.encode_by_chance`; a word that
    stands on both sides of a pair is cut alike, so that it can be copied.

    Args:
        tokenizer: of both sides.
        examples: the pairs.
        dropout: share of merges that are left out.
        seed: of the chances.

    Returns:
        Sources and targets, <int32>[rows, (length)] each.
    """
    sides: tuple[list[tf.RaggedTensor], list[tf.RaggedTensor]] = [], []
    for start in range(0, len(examples), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        sources, targets = examples.texts[chunk], examples.translations[chunk]
        rows = np.tile(np.arange(len(sources)), 2)
        drawn = tokenizer.encode_by_chance([*sources, *targets], rows, dropout, (*seed, start))
        sides[0].append(drawn[: len(sources)])
        sides[1].append(drawn[len(sources) :])
    source, target = (tf.concat(parts, axis=0) for parts in sides)
    return source, target


def cut_sources(config: Seq2SeqConfig, sources: tf.RaggedTensor) -> tf.RaggedTensor:
    """Returns what is read of each source: the first tokens or, as the task has it, the last."""
    most = config.source_length
    return sources[:, -most:] if config.keeps_end else sources[:, :most]


def report_cut(config: Seq2SeqConfig, sources: tf.RaggedTensor) -> None:
    """Says how many sources are longer than what is read of them, if any."""
    lengths, most = sources.row_lengths(), config.source_length
    long = int(tf.math.count_nonzero(lengths > most))
    if not long:
        return
    kept = tf.reduce_sum(tf.minimum(lengths, most)) / tf.reduce_sum(lengths)
    read = f"their last {most} are read" if config.keeps_end else "are read up to there"
    say(
        f"cut: {long:,} of {int(sources.nrows()):,} sources are longer than {most} tokens and "
        f"{read}, {float(kept):.0%} of all tokens"
    )
