"""How a training step's time and peak memory grow with length, batch, units and rows.

    python benchmarks/growth.py
    python benchmarks/growth.py --cells lstm --dimensions length

Embedding(10000, 128) -> LSTM or GRU -> Dense(1), by default 32 texts of 100 words and 128 units;
one of these is varied at a time. For rows it is an epoch of `model.fit` over so many texts of 1 to
100 words in batches of like length, everything else at its default.

Each figure is from a fresh process: its time the median of the rounds after the first step, which
compiles; its memory the process's peak less what it had after importing TensorFlow. Exponents are
slopes in log-log by least squares, over all values and over the three largest: 1 is linear. Prints
a table, writes JSON with all rounds and a picture.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from harness.report import (
    Results,
    add_output_options,
    begin,
    count,
    markdown,
    plain,
    power_law,
    run,
)
from harness.task import VOCABULARY_SIZE, write_rows
from harness.workers import Worker, WorkerError, noisy, take_turns

from data.errors import UserError
from data.files.writing import whole_file

KEYS = ("cell", "dimension", "value")
DEFAULTS = {"length": 100, "batch": 32, "units": 128}
VALUES = {
    "length": (100, 200, 500, 1000, 2000, 5000),
    "batch": (16, 32, 64, 128, 256, 512),
    "units": (64, 128, 256, 512, 1024),
    "rows": (1000, 2000, 4000, 8000, 16000),
}
FIGURES = {"milliseconds": "time, ms", "peak_mib": "peak memory, MiB"}
ROUND_SECONDS = 0.3
_FAR_END = 3
_EXPONENT = "exponent (over)"
_SHORT_TITLES = ("cell", "of", "from - to", "time, ms", _EXPONENT, "peak memory, MiB", _EXPONENT)


def measure(cell: str, dimension: str, value: int, rounds: int) -> dict:
    """Returns the record of one value, in a process of its own.

    Raises:
        WorkerError: the process failed, such as for lack of memory.
    """
    with Worker("suite") as worker:
        base = worker.ask("peak")
        if dimension == "rows":
            taken = _epochs(worker, cell, value, rounds)
        else:
            sizes = {**DEFAULTS, dimension: value}
            worker.ask("prepare", cell=cell, **sizes, kinds=["train"])
            arguments = {"kind": "train", "at_least": ROUND_SECONDS}
            taken = take_turns({"suite": worker}, rounds, "round", **arguments)
        if taken.failures:
            raise WorkerError(taken.failures["suite"])
        peak = worker.ask("peak") - base
    return {
        "cell": cell,
        "dimension": dimension,
        "value": value,
        "milliseconds": statistics.median(taken.rounds["suite"]["values"]),
        "peak_mib": peak,
        "base_mib": base,
        "rounds": taken.rounds["suite"],
    }


def _epochs(worker: Worker, cell: str, rows: int, rounds: int):
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, DEFAULTS["length"] + 1, rows)
    ids = generator.integers(1, VOCABULARY_SIZE, lengths.sum(), dtype=np.int32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        write_rows(path, ids, lengths)
        sizes = {"units": DEFAULTS["units"], "batch": DEFAULTS["batch"], "way": "suite"}
        worker.ask("prepare_epochs", rows=str(path), cell=cell, **sizes)
    worker.ask("epoch")
    taken = take_turns({"suite": worker}, rounds, "epoch")
    for epochs in taken.rounds.values():
        epochs["values"] = [1000 * seconds for seconds in epochs["values"]]
    return taken


def series(records: list[dict]) -> dict[tuple[str, str], list[dict]]:
    """Returns the records by cell and dimension, by ascending value."""
    groups = {}
    for record in sorted(records, key=lambda record: record["value"]):
        groups.setdefault((record["cell"], record["dimension"]), []).append(record)
    return groups


def exponents(group: list[dict], figure: str) -> list[tuple[str, float]]:
    """`(range, exponent)` over all values and over the largest of them."""
    found = []
    for part in (group, group[-_FAR_END:]):
        if len(part) > 1 and (part is group or len(part) < len(group)):
            exponent, _ = power_law(*_points(part, figure))
            found.append((f"{part[0]['value']:,} - {part[-1]['value']:,}", exponent))
    return found


def _points(group: list[dict], figure: str) -> tuple[list, list]:
    return [record["value"] for record in group], [record[figure] for record in group]


def long_table(records: list[dict]) -> str:
    """Returns a line a record."""
    rows = [
        (
            record["cell"],
            record["dimension"],
            f"{record['value']:,}",
            f"{record['milliseconds']:,.1f}" + ("~" if noisy(record["rounds"]) else ""),
            f"{record['peak_mib']:,.0f}",
        )
        for group in series(records).values()
        for record in group
    ]
    return plain(("cell", "dimension", "value", *FIGURES.values()), rows)


def short_table(records: list[dict]) -> list[tuple]:
    """Returns a line a cell and dimension: smallest and largest figures, and exponents."""
    rows = []
    for (cell, dimension), group in series(records).items():
        values = [cell, dimension, f"{group[0]['value']:,} - {group[-1]['value']:,}"]
        for figure in FIGURES:
            values.append(f"{group[0][figure]:,.0f} - {group[-1][figure]:,.0f}")
            slopes = [f"{value:.2f} ({range})" for range, value in exponents(group, figure)]
            values.append(", ".join(slopes) or "-")
        rows.append(tuple(values))
    return rows


def draw(records: list[dict], path: str) -> None:
    """A picture, log-log: time above, memory below, a column a dimension, with fitted lines."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    groups = series(records)
    dimensions = [name for name in VALUES if any(name == found for _, found in groups)]
    figure, axes = pyplot.subplots(
        len(FIGURES), len(dimensions), figsize=(4 * len(dimensions), 7), squeeze=False
    )
    for (i, (name, title)), (j, dimension) in itertools.product(
        enumerate(FIGURES.items()), enumerate(dimensions)
    ):
        axis = axes[i][j]
        for cell in sorted({cell for cell, found in groups if found == dimension}):
            xs, ys = _points(groups[cell, dimension], name)
            (points,) = axis.loglog(xs, ys, "o", label=cell)
            if len(xs) > 1:
                exponent, factor = power_law(xs, ys)
                fitted = [factor * x**exponent for x in xs]
                label = f"{cell}: exponent {exponent:.2f}"
                axis.loglog(xs, fitted, "-", color=points.get_color(), label=label)
        what = "an epoch" if dimension == "rows" else "a training step"
        axis.set(xlabel=dimension, ylabel=title, title=f"{what} by {dimension}")
        axis.set_xticks(xs, [f"{x:,}" for x in xs], minor=False)
        axis.tick_params(axis="x", labelsize="small")
        axis.minorticks_off()
        axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:,g}")
        low, high = axis.get_ylim()
        if high < 3 * low:
            # All much the same: a narrow axis would show the noise alone.
            axis.set_ylim(low / 2, 2 * high)
        axis.grid(True, which="both", alpha=0.2)
        axis.legend()
    figure.tight_layout()
    with whole_file(Path(path)) as partial:
        figure.savefig(partial, format="png", dpi=120)
    pyplot.close(figure)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", choices=("lstm", "gru"), default=("lstm", "gru"))
    parser.add_argument("--dimensions", nargs="+", choices=tuple(VALUES), default=tuple(VALUES))
    parser.add_argument(
        "--values", nargs="+", type=count, help="of each dimension, instead of the standing ones"
    )
    parser.add_argument("--rounds", type=count, default=5, help="(default: 5)")
    parser.add_argument("--picture", metavar="FILE", default="growth.png")
    add_output_options(parser, "growth.json")
    return parser.parse_args()


def main() -> None:
    options = _options()
    results, _ = begin(options, KEYS)
    records = list(_records(options, results))
    if not records:
        raise UserError("nothing could be measured; the lines above say why")
    draw(records, options.picture)
    if options.markdown:
        print(markdown(_SHORT_TITLES, short_table(records)))
        return
    print(long_table(records), plain(_SHORT_TITLES, short_table(records)), sep="\n\n")
    print("~ other processes used the processor in some of the rounds")


def _records(options: argparse.Namespace, results: Results) -> Iterator[dict]:
    """Yields the record of each value, measured where the file has none."""
    for cell, dimension in itertools.product(options.cells, options.dimensions):
        for value in options.values or VALUES[dimension]:
            key = dict(zip(KEYS, (cell, dimension, value), strict=True))
            if (record := results.get(**key)) is None:
                try:
                    record = measure(**key, rounds=options.rounds)
                except WorkerError as error:
                    print(f"{cell}, {dimension} {value}: {error}", file=sys.stderr)
                    continue
                results.add(record)
                print(f"{cell}, {dimension} {value}: measured", file=sys.stderr)
            yield record


if __name__ == "__main__":
    run(main)
