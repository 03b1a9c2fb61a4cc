"""Two repairs of Keras 3 for `tf.distribute.MultiWorkerMirroredStrategy`, with which its `fit`
fails as it is."""

from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.tensorflow import trainer

_reduce_per_replica = trainer.reduce_per_replica


def repair() -> None:
    """Repairs Keras in this process."""
    trainer.reduce_per_replica = reduce_per_replica
    trainer.TensorFlowTrainer._maybe_symbolic_build = build_symbolically


def reduce_per_replica(values: Any, strategy: tf.distribute.Strategy, reduction: str) -> Any:
    """Reduces what each replica has computed; Keras' own takes the mean of numbers over their first
    dimension, which they lack.

    Args:
        values: a structure of values of each replica.
        strategy: of the replicas.
        reduction: the name of a reduction, such as `mean`.
    """
    if reduction not in ("auto", "mean") or not trainer._collective_all_reduce_multi_worker(
        strategy
    ):
        return _reduce_per_replica(values, strategy, reduction)
    return keras.tree.map_structure(
        lambda value: strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None), values
    )


def build_symbolically(model: keras.Model, iterator: Any = None, data_batch: Any = None) -> None:
    """Builds a model by the shapes of a batch; Keras' own takes the mean of batches, which are of
    different shapes, and of dictionaries, over replicas.

    Args:
        model: under a strategy, or none: then nothing is done.
        iterator: over distributed batches, or None.
        data_batch: a batch, where there is no iterator.
    """
    if model._distribute_strategy is None:
        return
    strategy = model.distribute_strategy
    if iterator is not None:
        for _, _, batches in iterator:
            data_batch = keras.tree.map_structure(
                lambda value: strategy.experimental_local_results(value)[0], next(batches)
            )
            break
    with strategy.scope():
        model._symbolic_build(data_batch=data_batch)
