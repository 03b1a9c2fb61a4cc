"""The worker of TensorFlow: the task with this suite's layers or with Keras' own.

    PYTHONPATH=benchmarks python -m harness.keras_engine suite

Jobs come from `workers.Worker`. A training step is what `model.fit` runs, without XLA
(`jit_compile=False`): the model's train function called on an iterator over batches in memory.
"""

import gc
import resource
import sys
import time

import keras
import tensorflow as tf

from data.batches import padded
from data.errors import choose
from harness.task import (
    CELLS,
    EMBEDDING_DIM,
    VOCABULARY_SIZE,
    milliseconds_a_step,
    random_batch,
    random_targets,
    read_rows,
    seconds_of,
)
from harness.workers import serve
from models.optimization.adam import Adam
from models.precision import dtype_policy
from models.recurrent.factory import recurrent_layer

CLASSES = {
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}


def keras_layer(cell: str, units: int, bidirectional: bool = False):
    """Returns the twin of `recurrent_layer` made of Keras' own layers."""
    layer = CLASSES[cell](units)
    return keras.layers.Bidirectional(layer) if bidirectional else layer


# What is compared: (cell, units, bidirectional) -> a Keras layer, the optimizer, and the precision.
CONTENDERS = {
    "suite": (recurrent_layer, Adam, "float32"),
    "bfloat16": (recurrent_layer, Adam, "mixed_bfloat16"),
    "keras": (keras_layer, keras.optimizers.Adam, "float32"),
}


class Engine:
    """Holds one model at a time and times it.

    Args:
        make_layer: `(cell, units, bidirectional)` -> a Keras layer.
        make_optimizer: the class of the optimizer.
        policy: Keras' name of the precision.
    """

    def __init__(self, make_layer, make_optimizer, policy: str):
        self.make_layer, self.make_optimizer = make_layer, make_optimizer
        self.policy = policy

    def prepare(self, cell: str, batch: int, length: int, units: int, kinds: list[str]) -> dict:
        """Builds a model and runs each kind of step once, which compiles it."""
        ids, targets = random_batch(batch, length)
        self._build(cell, units, mask_zero=False)
        dataset = tf.data.Dataset.from_tensors((ids, targets)).repeat()
        # An iterator with the autotuner on blocks when it is destroyed.
        options = tf.data.Options()
        options.autotune.enabled = False
        iterator = iter(dataset.with_options(options))
        self.model.make_train_function()
        ids = tf.constant(ids)

        @tf.function(jit_compile=False)
        def logits(ids):
            return self.model(ids, training=False)

        steps = {
            "train": lambda: float(self.model.train_function(iterator)["loss"]),
            "forward": lambda: logits(ids).numpy(),
        }
        self.steps = {kind: steps[kind] for kind in kinds}
        first = {kind: seconds_of(step) for kind, step in self.steps.items()}
        return {"first_step_seconds": first, "parameters": self.model.count_params()}

    def round(self, kind: str, at_least: float) -> float:
        """Milliseconds a step, over at least so many seconds."""
        return milliseconds_a_step(self.steps[kind], at_least)

    def prepare_epochs(self, rows: str, cell: str, units: int, batch: int, way: str) -> dict:
        """Builds a model with masks and its length-bucketed batches; `way` is always that."""
        ids, lengths = read_rows(rows)
        ragged = tf.RaggedTensor.from_row_lengths(ids, lengths)
        targets = random_targets(len(lengths))
        self.batches = padded.Batches({"token_ids": ragged}, targets, batch, shuffle_seed=0)
        self.number = 0
        self._build(cell, units, mask_zero=True)
        return {"padding_share": float(self.batches.padding_share())}

    def epoch(self) -> float:
        """Seconds of the next epoch of `model.fit`, its batches made on the way."""
        started = time.perf_counter()
        self.model.fit(self.batches.dataset(self.number), verbose=0)
        self.number += 1
        return time.perf_counter() - started

    def peak(self) -> float:
        """Returns the most memory that this process has held, in MiB."""
        # ru_maxrss is in kilobytes on Linux.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def release(self) -> None:
        """Forgets the model."""
        self.model = self.steps = self.batches = None
        keras.backend.clear_session()
        gc.collect()

    def _build(self, cell: str, units: int, mask_zero: bool) -> None:
        keras.utils.set_random_seed(0)
        cell, bidirectional = choose("cell", cell, CELLS)
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        with dtype_policy(self.policy):
            embedding = keras.layers.Embedding(VOCABULARY_SIZE, EMBEDDING_DIM, mask_zero=mask_zero)
            last = self.make_layer(cell, units, bidirectional)(embedding(token_ids))
        self.model = keras.Model(token_ids, keras.layers.Dense(1, dtype="float32")(last))
        self.model.compile(
            optimizer=self.make_optimizer(),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            jit_compile=False,
        )


if __name__ == "__main__":
    engine = Engine(*CONTENDERS[sys.argv[1]])
    names = ("prepare", "round", "prepare_epochs", "epoch", "peak", "release")
    serve({name: getattr(engine, name) for name in names})
