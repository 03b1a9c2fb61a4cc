"""From the options to an untrained captioner."""

import math

import keras

from apps.tasks.builder import build, recurrent_options
from apps.tasks.captioning.config import CaptioningConfig
from data.messages import detail, say
from models.captioning.captioner import Captioner
from models.captioning.image_encoder import is_pretrained
from models.captioning.pretrained import find_weights, load_weights, unfreeze
from models.evaluation.captions.cider import CiderD
from models.registry import PRECISIONS
from models.seq2seq.search import TranslationSearch
from models.seq2seq.self_critical import SelfCritical


def build_captioner(
    config: CaptioningConfig, vocabulary_size: int, rows: int, trained: Captioner | None = None
) -> Captioner:
    """Builds the untrained model, in which a trained encoder has its weights; or one with the
    weights of a trained captioner.

    Args:
        config: the options.
        vocabulary_size: number of ids.
        rows: captions to train on.
        trained: what the training begins with, of the same shapes; or None.

    Raises:
        UserError: options that do not fit each other, or weights that are not there.
    """
    weights = None
    if is_pretrained(config.encoder) and trained is None:
        weights = find_weights(config.encoder, config.encoder_weights)
    settings = {
        "vocabulary_size": vocabulary_size,
        "embedding_dim": config.embedding_dim,
        "recurrent": recurrent_options(config),
        "encoder": config.encoder,
        "picture_size": config.pixels,
        "attention": config.attention,
        "feeding": config.input_feeding,
        "doubly_stochastic": config.doubly_stochastic,
        "tied": config.tied,
        "dropout": config.dropout,
        "word_dropout": config.word_dropout,
        "scheduled_sampling": config.scheduled_sampling,
        "sampling_steps": config.epochs * math.ceil(rows / config.batch_size),
        "dtype": PRECISIONS[config.mixed_precision],
    }
    captioner = build(Captioner, settings)
    if weights is not None:
        load_weights(captioner.image_encoder, config.encoder, weights)
        detail(f"weights of {config.encoder}: {weights}")
    if trained is not None:
        captioner.set_weights(trained.get_weights())
        say(f"all layers: weights from {config.init_from}")
    if config.fine_tune:
        unfreeze(captioner.image_encoder)
    return captioner


def trained_part(
    captioner: Captioner, config: CaptioningConfig, reward: CiderD | None = None
) -> keras.Model:
    """Returns what a training changes: all of it, or all but an encoder that stays as it is.

    It is a model of the same layers, so that compiling it leaves the captioner as it is.

    Args:
        captioner: built.
        config: the options.
        reward: of captions that the captioner draws itself; None to learn from the references.
    """
    whole = captioner if captioner.image_encoder.trainable else captioner.head
    with captioner.distribute_strategy.scope():
        if reward is None:
            return keras.Model(whole.input, whole.output, name="trained_part")
        search = TranslationSearch(max_length=config.max_length, bounded=False)
        return SelfCritical(
            whole, reward, config.self_critical, search, config.seed, name="trained_part"
        )
