"""Tokens a second of generation: in one graph, by `model.predict`, and by a loop in PyTorch.

    python benchmarks/generation.py
    python benchmarks/generation.py --units 512 --num-layers 2
    python benchmarks/generation.py --cost-of runs/shakespeare --data-dir corpora

One model of characters, with the same weights in each engine, samples from its whole distribution;
greedily all engines write the same text, which is checked. The ways take turns, each in a process
of its engine; figures are medians of the rounds. Prints a table and writes `generation.json`. With
`--cost-of`, nothing is timed: it prints what rounded weights cost a trained model on its
validation split.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from harness.report import conditions, markdown, run, surroundings
from harness.workers import CORES, QUIET, Worker, installed

from data.errors import UserError
from data.files.writing import whole_file

VOCABULARY_SIZE, EMBEDDING_DIM = 69, 96
# The ways: the engine and what it is told. PyTorch's threads cost more than they bring where
# products are small, so both are tried and the faster one counts.
WAYS = {
    "one graph, batch 1": ("generation", {"way": "graph", "batch": 1}),
    "one graph, batch 32": ("generation", {"way": "graph", "batch": 32}),
    "one graph, batch 1, --quantize int8": ("generation", {"way": "rounded", "batch": 1}),
    "one graph, batch 32, --quantize int8": ("generation", {"way": "rounded", "batch": 32}),
    "model.predict a token": ("generation", {"way": "predict", "batch": 1}),
    "PyTorch loop, 1 thread": ("generation_torch", {"threads": 1}),
    f"PyTorch loop, {CORES} threads": ("generation_torch", {"threads": CORES}),
}
# Generated in a round: about as long for each way.
_FEWER = {"model.predict a token": 50}


def write_weights(path: Path, units: int, num_layers: int) -> None:
    """An LSTM language model of random weights, as Keras orders them."""
    generator, size, arrays = np.random.default_rng(0), EMBEDDING_DIM, []

    def add(*shape):
        scale = 1.0 / np.sqrt(shape[-1] if len(shape) == 1 else shape[0])
        arrays.append(generator.normal(scale=scale, size=shape).astype(np.float32))

    add(VOCABULARY_SIZE, EMBEDDING_DIM)
    for _ in range(num_layers):
        for shape in ((size, 4 * units), (units, 4 * units), (4 * units,)):
            add(*shape)
        size = units
    add(VOCABULARY_SIZE, units)
    add(VOCABULARY_SIZE)
    np.savez(path, *arrays)


def measure(options) -> dict:
    """Tokens a second of each way, by round."""
    ways = {name: way for name, way in WAYS.items() if installed(way[0])}
    workers = {engine: Worker(engine) for engine, _ in ways.values()}
    found = {name: {"values": [], "others": []} for name in ways}
    try:
        with tempfile.TemporaryDirectory() as folder:
            weights = Path(folder) / "weights.npz"
            write_weights(weights, options.units, options.num_layers)
            texts = {
                engine: worker.ask("prepare", weights=str(weights), length=options.length)
                for engine, worker in workers.items()
            }
        if len({json.dumps(text) for text in texts.values()}) > 1:
            raise UserError("the engines do not write the same text: their figures say nothing")
        for _ in range(options.rounds):
            for name, (engine, arguments) in ways.items():
                length = max(1, options.length // _FEWER.get(name, 1))
                value, others = workers[engine].watched("round", length=length, **arguments)
                found[name]["values"].append(value)
                found[name]["others"].append(others)
    finally:
        for worker in workers.values():
            worker.close()
    return found


def rows_of(found: dict) -> list[tuple[str, str, str]]:
    """A row of the table for each way: tokens a second, and how many times as fast as `predict`."""
    medians = {name: statistics.median(each["values"]) for name, each in found.items()}
    base = medians["model.predict a token"]
    return [(name, f"{value:,.0f}", f"{value / base:,.1f}") for name, value in medians.items()]


def print_cost(run_folder: str, data_dir: str | None) -> None:
    """Prints the nats a token of a run on its validation split, as it is and with the recurrent
    weights rounded to eight bits."""
    from apps.catalog import find_application
    from apps.runs.folder import RunFolder
    from models.recurrent.rounded_step import round_weights

    application = find_application(RunFolder(Path(run_folder)).describe().application)
    task = application.trained(run_folder)
    config = dataclasses.replace(task.config, data_dir=data_dir or task.config.data_dir)
    validation = application.read_data(config).split("validation")
    print(f"weights as they are: {task.evaluate(validation).metrics['nats_per_unit']:.5f} nats")
    for layer in task.language_model.stack.layers:
        round_weights(layer.cell)
    print(f"--quantize int8:     {task.evaluate(validation).metrics['nats_per_unit']:.5f} nats")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=256, help="state size of each layer")
    parser.add_argument("--num-layers", type=int, default=1, help="LSTM layers")
    parser.add_argument("--length", type=int, default=1000, help="tokens generated in a round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each way")
    parser.add_argument("--output", default="generation.json", help="where the figures go")
    parser.add_argument("--cost-of", metavar="RUN", help="a run: cost of rounded weights instead")
    parser.add_argument("--data-dir", help="folder of the corpora of --cost-of")
    options = parser.parse_args()
    if options.cost_of:
        print_cost(options.cost_of, options.data_dir)
        return
    facts = surroundings()
    found = measure(options)
    with whole_file(Path(options.output)) as partial:
        record = {"surroundings": facts, "options": vars(options), "units_per_second": found}
        partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(conditions(facts))
    print(markdown(("way", "tokens a second", "times `predict`"), rows_of(found)))
    if any(max(each["others"]) > QUIET for each in found.values()):
        print("other processes were busy meanwhile: take the figures again", file=sys.stderr)


if __name__ == "__main__":
    run(main)
