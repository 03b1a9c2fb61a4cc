"""The worker of PyTorch: the task with `torch.nn` layers, on so many threads.

    PYTHONPATH=benchmarks python -m harness.torch_engine 2 fused

With `fused`, Adam updates all weights in one operation of PyTorch's own; with `bfloat16`, the model
runs under `torch.autocast`.
Jobs come from `workers.Worker`. Numbers too small for the normal range are flushed to zero, as
TensorFlow does: without that, PyTorch's training at length 400 is up to five times slower, because
vanishing gradients become such numbers.
"""

import sys
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from data.batches.buckets import padding_share
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

CLASSES = {"simple_rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


class Classifier(torch.nn.Module):
    """Embedding -> one recurrent layer -> one logit from its last output."""

    def __init__(self, cell: str, units: int):
        super().__init__()
        cell, bidirectional = choose("cell", cell, CELLS)
        self.embedding = torch.nn.Embedding(VOCABULARY_SIZE, EMBEDDING_DIM)
        self.recurrent = CLASSES[cell](
            EMBEDDING_DIM, units, batch_first=True, bidirectional=bidirectional
        )
        self.dense = torch.nn.Linear(units * (1 + bidirectional), 1)

    def forward(self, ids, lengths=None, packed: bool = False):
        """Logits <float32>[batch, 1].

        Args:
            ids: <int64>[batch, length].
            lengths: <int64>[batch], or None where no row is padded; one direction only.
            packed: hand the recurrent layer a packed sequence instead of a padded one.
        """
        x = self.embedding(ids)
        if packed:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        outputs, final = self.recurrent(x)
        if lengths is not None and not packed:
            return self.dense(outputs[torch.arange(len(ids)), lengths - 1])
        states = final[0] if isinstance(final, tuple) else final
        # One state a direction: [directions, batch, units].
        return self.dense(torch.cat(tuple(states), dim=-1))


class Engine:
    """Holds one model at a time and times it.

    Args:
        fused: whether Adam is the fused one.
        bfloat16: whether the model runs in mixed precision.
    """

    def __init__(self, fused: bool, bfloat16: bool):
        self.fused, self.bfloat16 = fused, bfloat16

    def prepare(self, cell: str, batch: int, length: int, units: int, kinds: list[str]) -> dict:
        """Builds a model and runs each kind of step once."""
        ids, targets = (torch.from_numpy(array) for array in random_batch(batch, length))
        ids = ids.long()
        self._build(cell, units)

        def forward():
            with torch.inference_mode():
                return self._logits(ids).numpy()

        steps = {"train": lambda: self._train_step(targets, ids), "forward": forward}
        self.steps = {kind: steps[kind] for kind in kinds}
        first = {kind: seconds_of(step) for kind, step in self.steps.items()}
        return {
            "first_step_seconds": first,
            "parameters": sum(weights.numel() for weights in self.model.parameters()),
        }

    def round(self, kind: str, at_least: float) -> float:
        """Milliseconds a step, over at least so many seconds."""
        return milliseconds_a_step(self.steps[kind], at_least)

    def prepare_epochs(self, rows: str, cell: str, units: int, batch: int, way: str) -> dict:
        """Builds a model for random batches, each padded to its longest row.

        Args:
            rows: a file from `task.write_rows`.
            cell: a name in `task.CELLS`.
            units: size of the state.
            batch: rows a batch.
            way: "padded": the layer runs over the padding too and the last real output is
                picked; "packed": it gets a packed sequence.
        """
        ids, lengths = read_rows(rows)
        self.rows = torch.split(torch.from_numpy(ids).long(), lengths.tolist())
        self.lengths = torch.from_numpy(lengths)
        self.targets = torch.from_numpy(random_targets(len(lengths)))
        self.batch, self.packed = batch, choose("way", way, {"padded": False, "packed": True})
        self.generator = torch.Generator().manual_seed(0)
        self._build(cell, units)
        order = [rows.numpy() for rows in self._order(torch.Generator().manual_seed(0))]
        return {"padding_share": padding_share(lengths, order)}

    def epoch(self) -> float:
        """Seconds of one epoch, its batches made on the way."""
        started = time.perf_counter()
        for rows in self._order(self.generator):
            ids = pad_sequence([self.rows[row] for row in rows.tolist()], batch_first=True)
            self._train_step(self.targets[rows], ids, self.lengths[rows], self.packed)
        return time.perf_counter() - started

    def release(self) -> None:
        """Forgets the model."""
        self.model = self.optimizer = self.steps = self.rows = None

    def _build(self, cell: str, units: int) -> None:
        torch.manual_seed(0)
        self.model = Classifier(cell, units)
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=self.fused)
        self.loss = torch.nn.BCEWithLogitsLoss()

    def _train_step(self, targets, *inputs) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(self._logits(*inputs), targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def _logits(self, *inputs) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            return self.model(*inputs).float()

    def _order(self, generator) -> tuple:
        return torch.randperm(len(self.rows), generator=generator).split(self.batch)


if __name__ == "__main__":
    # Before the first operation: threads inherit it when they are started.
    torch.set_flush_denormal(True)
    torch.set_num_threads(int(sys.argv[1]))
    engine = Engine(fused="fused" in sys.argv[2:], bfloat16="bfloat16" in sys.argv[2:])
    names = ("prepare", "round", "prepare_epochs", "epoch", "release")
    serve({name: getattr(engine, name) for name in names})
