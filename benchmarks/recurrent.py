"""Training step and forward pass of recurrent layers: this suite, Keras as shipped, PyTorch.

    python benchmarks/recurrent.py
    python benchmarks/recurrent.py --cells lstm --batches 64 --lengths 25 100 --units 128
    python benchmarks/recurrent.py --rivals compiled torch_fused

`suite` is the suite as it runs here, in its native operator where there is a compiler; `compiled`
is without it, `bfloat16` with `--mixed-precision bfloat16`. PyTorch is measured with Adam as it is
by default and with the fused one; in `torch_bfloat16` with that and under `torch.autocast`.

Embedding(10000, 128) -> one recurrent layer -> Dense(1) on its last output, binary cross-entropy
on logits, Adam; in float32, if not said otherwise. A training step is what `model.fit` runs, with
the loss read after each; in PyTorch `zero_grad`, forward, `backward`, `optimizer.step` and
`loss.item()`. The forward pass is a compiled function of the model, its output read; in PyTorch
under `inference_mode`.

Each engine has a process of its own, started once; they take turns, a round each, so that a noisy
moment meets all of them. A round is one step, or as many as fill 0.1 s; figures are medians of the
rounds. PyTorch flushes denormal numbers to zero (`torch.set_flush_denormal`), as TensorFlow does by
itself; without that it is up to five times slower at length 400.

Prints a table and writes JSON with all rounds after each cell of the grid; run again, it goes on
where it stopped. PyTorch is an extra: `pip install ".[bench]"`.
"""

import argparse
import contextlib
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence

from harness.report import (
    TORCH_SETTINGS,
    Results,
    add_output_options,
    begin,
    count,
    free_memory,
    geometric_mean,
    line,
    markdown,
    run,
)
from harness.task import CELLS, EMBEDDING_DIM
from harness.workers import TITLES, Worker, WorkerError, installed, noisy, release, take_turns

KEYS = ("cell", "units", "batch", "length")
KINDS = ("train", "forward")
RIVALS = ("keras", "torch", "torch_fused")
ROUND_SECONDS = 0.1
# PyTorch reaches its speed some steps after the first; one step of so many seconds is enough.
WARM_UP_SECONDS, WARMED_UP_AFTER = 0.3, 5
# Points at which the suite has less than this part of PyTorch's speed are marked.
MARKED_BELOW = 0.7
# Numbers that an engine keeps for the gradient, per step of a text and unit of the state: an upper
# bound of what was measured with batch 64, length 100 and 512 units.
_KEPT = {"simple_rnn": 10, "lstm": 24, "gru": 24, "bidirectional_lstm": 56}
_KEY_WIDTHS = (18, 5, 5, 6)


def bytes_needed(cell: str, units: int, batch: int, length: int) -> int:
    """Upper estimate of the memory of a training step."""
    return 4 * batch * length * (units * _KEPT[cell] + 4 * EMBEDDING_DIM)


def measure(workers: dict[str, Worker], point: dict, rounds: int) -> dict:
    """Returns the record of one point of the grid.

    Args:
        workers: by engine.
        point: `KEYS`.
        rounds: of each engine and kind of step.

    Returns:
        The point, the rounds by kind and engine, milliseconds a step, and the failures.
    """
    record = {**point, "prepared": {}, "failed": {}}
    # Compiling is nothing that is timed: all at once, where memory allows it.
    together = free_memory() > len(workers) * bytes_needed(**point)
    for group in [list(workers)] if together else [[name] for name in workers]:
        for name in group:
            workers[name].send("prepare", **point, kinds=KINDS)
        for name in group:
            try:
                record["prepared"][name] = workers[name].receive()
            except WorkerError as error:
                record["failed"][name] = str(error)
    for kind in KINDS:
        ready = {n: worker for n, worker in workers.items() if n not in record["failed"]}
        first = {n: record["prepared"][n]["first_step_seconds"][kind] for n in ready}
        short = {n: worker for n, worker in ready.items() if first[n] < WARMED_UP_AFTER}
        take_turns(short, 1, "round", kind=kind, at_least=WARM_UP_SECONDS)
        taken = take_turns(ready, rounds, "round", kind=kind, at_least=ROUND_SECONDS)
        record[kind] = taken.rounds
        record["failed"] |= taken.failures
    release(workers, record["failed"])
    return record


def median(record: dict, kind: str, engine: str) -> float | None:
    """Milliseconds a step, or None where the engine was not measured."""
    rounds = record[kind].get(engine)
    return statistics.median(rounds["values"]) if rounds else None


def ratio(record: dict, kind: str, rival: str) -> float | None:
    """Returns how many times as long the rival takes as the suite; None where one is missing."""
    ours, theirs = median(record, kind, "suite"), median(record, kind, rival)
    return theirs / ours if ours and theirs else None


def titles(rivals: Sequence[str]) -> list[str]:
    """Returns the titles of one kind's columns: milliseconds of each engine, then the ratios."""
    times = [f"{TITLES[engine]} ms" for engine in ("suite", *rivals)]
    return times + [f"{TITLES[rival]}/suite" for rival in rivals]


def widths(rivals: Sequence[str]) -> list[int]:
    """Returns the widths of the table's columns."""
    return [*_KEY_WIDTHS, *[max(9, len(title) + 1) for title in titles(rivals)] * len(KINDS)]


def row(record: dict, rivals: Sequence[str] = RIVALS) -> str:
    """Returns the record's line of the table."""
    values = [record[key] for key in KEYS]
    for kind in KINDS:
        for engine in ("suite", *rivals):
            milliseconds = median(record, kind, engine)
            absent = "failed" if engine in record["failed"] else "-"
            mark = "~" if noisy(record[kind].get(engine)) else ""
            values.append(f"{milliseconds:.2f}{mark}" if milliseconds else absent)
        values += [_shown(record, kind, rival) for rival in rivals]
    return line(values, widths(rivals))


def _shown(record: dict, kind: str, rival: str) -> str:
    value = ratio(record, kind, rival)
    if value is None:
        return "-" if rival in record["failed"] or installed(rival) else "not installed"
    return f"{value:.2f}" + ("*" if rival.startswith("torch") and value < MARKED_BELOW else " ")


def summary(records: list[dict], rivals: Sequence[str] = RIVALS) -> list[str]:
    """Median, geometric mean and minimum of each ratio over the grid."""
    lines = []
    for kind, rival in itertools.product(KINDS, rivals):
        ratios = [(value, r) for r in records if (value := ratio(r, kind, rival)) is not None]
        if not ratios:
            continue
        values = [value for value, _ in ratios]
        least, point = min(ratios, key=lambda pair: pair[0])
        text = (
            f"{kind}, {TITLES[rival]}/suite, {len(values)} cells: median "
            f"{statistics.median(values):.2f}, geometric mean {geometric_mean(values):.2f}, "
            f"minimum {least:.2f} ({', '.join(f'{key} {point[key]}' for key in KEYS)})"
        )
        if rival.startswith("torch"):
            marked = sum(value < MARKED_BELOW for value in values)
            text += f"; under {MARKED_BELOW}: {marked}"
        lines.append(text)
    return lines


def short_table(records: list[dict], rivals: Sequence[str] = RIVALS) -> str:
    """Returns a line a cell and size, for docs/results: median and range of each ratio."""
    names = ["cell", "units"]
    names += [f"{kind}: {TITLES[rival]} / suite" for kind in KINDS for rival in rivals]
    groups = {}
    for record in records:
        groups.setdefault((record["cell"], record["units"]), []).append(record)
    groups["all", ""] = records
    rows = []
    for (cell, units), group in groups.items():
        values = [cell.replace("_", " "), units]
        for kind, rival in itertools.product(KINDS, rivals):
            ratios = [value for r in group if (value := ratio(r, kind, rival)) is not None]
            values.append(_range(ratios) if ratios else "-")
        rows.append(values)
    return markdown(names, rows)


def _range(ratios: list[float]) -> str:
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} - {max(ratios):.2f})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", choices=tuple(CELLS), default=tuple(CELLS))
    parser.add_argument("--batches", nargs="+", type=count, default=[32, 64, 256])
    parser.add_argument("--lengths", nargs="+", type=count, default=[25, 100, 400])
    parser.add_argument("--units", nargs="+", type=count, default=[128, 512])
    parser.add_argument(
        "--rivals",
        nargs="+",
        choices=[engine for engine in TITLES if engine != "suite"],
        default=RIVALS,
        help=f"what the suite is compared with (default: {' '.join(RIVALS)})",
    )
    parser.add_argument("--rounds", type=count, default=5, help="of each engine (default: 5)")
    parser.add_argument(
        "--limit-seconds", type=float, help="begin no other cell of the grid after so long"
    )
    add_output_options(parser, "recurrent.json")
    return parser.parse_args()


def main() -> None:
    options = _options()
    rivals = options.rivals
    results, stream = begin(options, KEYS, TORCH_SETTINGS)
    print("training step, then forward pass", file=stream)
    print(line((*KEYS, *titles(rivals) * len(KINDS)), widths(rivals)), file=stream)
    records = []
    for record in _records(options, results, stream):
        records.append(record)
        print(row(record, rivals), file=stream, flush=True)
    print("", *summary(records, rivals), sep="\n", file=stream)
    print(f"* the suite has under {MARKED_BELOW} of PyTorch's speed", file=stream)
    print("~ other processes used the processor in some of the rounds", file=stream)
    if options.markdown:
        print(short_table(records, rivals))


def _has(record: dict, engines: list[str]) -> bool:
    """Whether a record of an earlier run has all engines that can run here."""
    return all(engine in record["prepared"] for engine in engines if installed(engine))


def _records(options: argparse.Namespace, results: Results, stream) -> Iterator[dict]:
    """Yields the record of each point of the grid, measured where the file has none."""
    grid = itertools.product(options.cells, options.units, options.batches, options.lengths)
    points = [dict(zip(KEYS, values, strict=True)) for values in grid]
    started, engines = time.monotonic(), ["suite", *options.rivals]
    with contextlib.ExitStack() as stack:
        workers = {n: stack.enter_context(Worker(n)) for n in engines if installed(n)}
        for i, point in enumerate(points):
            record = results.get(**point)
            if record is None or not _has(record, engines):
                if options.limit_seconds and time.monotonic() - started > options.limit_seconds:
                    left = len(points) - i
                    print(f"out of time before the last {left} points", file=stream)
                    return
                if bytes_needed(**point) > free_memory():
                    print(f"skipped, too little memory: {point}", file=stream)
                    continue
                record = measure(workers, point, options.rounds)
                results.add(record)
                for name, error in record["failed"].items():
                    print(f"{TITLES[name]}: {error}", file=stream)
            yield record


if __name__ == "__main__":
    run(main)
