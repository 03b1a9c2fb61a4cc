"""The batches of a training, as its options say."""

import keras
import numpy as np
import tensorflow as tf

from apps.config.groups import BatchOptions
from apps.config.training import TrainingConfig
from data.batches.padded import Batches
from data.messages import detail


def training_batches(
    ids: dict[str, tf.RaggedTensor],
    targets: np.ndarray | tf.RaggedTensor,
    model: keras.Model,
    config: TrainingConfig,
) -> Batches:
    """Returns the batches of the training split, and reports how much of them is padding.

    Args:
        ids, targets: as `data.batches.padded.Batches`.
        model: its strategy says how many devices share a batch.
        config: the options.
    """
    assert isinstance(config, BatchOptions)
    batches = Batches(
        ids,
        targets,
        config.batch_size,
        config.batch_tokens,
        config.seed,
        model.distribute_strategy.num_replicas_in_sync,
        config.jit,
    )
    detail(f"padding: {batches.padding_share():.1%} of the tokens")
    return batches
