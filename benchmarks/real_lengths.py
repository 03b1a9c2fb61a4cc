"""An epoch of training on texts of real lengths: this suite against PyTorch, padded and packed.

    python benchmarks/real_lengths.py --data-dir corpora

Three ways to train Embedding(10000, 128) -> LSTM or GRU of 128 units -> Dense(1), with the last
real state of each text, on batches of 64 texts:

- suite: `model.fit` on batches of texts of like length (`data.batches.padded.Batches`), padding
  masked;
- padded: PyTorch on random batches, each padded to its longest text, the output picked at the
  text's last word;
- packed: PyTorch on the same batches as packed sequences (`pack_padded_sequence`); on a CPU its
  gradient of each step fills an array of the whole batch with zeros, which long texts feel.

Making the batches is part of an epoch. Texts are cut to 400 words; `--rows` draws a sample of each
corpus. The first epoch, which compiles, is told apart; then the ways take turns, each in a process
of its own, and the figures are medians. PyTorch flushes denormal numbers to zero, as TensorFlow
does by itself. PyTorch is an extra: `pip install ".[bench]"`.
"""

import argparse
import contextlib
import itertools
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.report import (
    TORCH_SETTINGS,
    Results,
    add_output_options,
    begin,
    count,
    line,
    markdown,
    run,
)
from harness.task import write_rows
from harness.texts import CORPORA, token_ids
from harness.workers import Worker, WorkerError, installed, noisy, release, take_turns

KEYS = ("corpus", "cell", "units", "rows_asked")
BATCH_ROWS = 64
# The engine of each way.
WAYS = {"suite": "suite", "padded": "torch", "packed": "torch"}
_TITLES = ("corpus", "cell", "way", "s/epoch", "rows/s", "tokens/s", "padding", "first epoch s")
_WIDTHS = (9, 5, 7, 9, 8, 9, 8, 14, 13)


def measure(workers: dict[str, Worker], rows: dict, key: dict, rounds: int) -> dict:
    """Returns the record of one corpus and cell.

    Args:
        workers: by way.
        rows: `file`, from `task.write_rows`, and its numbers of `rows` and `tokens`.
        key: `KEYS`.
        rounds: epochs of each way after the first.
    """
    record = {**key, "rows": rows["rows"], "tokens": rows["tokens"]}
    record |= {"padding_share": {}, "first_epoch_seconds": {}, "failed": {}}
    for way, worker in workers.items():
        try:
            prepared = worker.ask(
                "prepare_epochs",
                rows=str(rows["file"]),
                cell=key["cell"],
                units=key["units"],
                batch=BATCH_ROWS,
                way=way,
            )
            record["padding_share"][way] = prepared["padding_share"]
            record["first_epoch_seconds"][way] = worker.ask("epoch")
        except WorkerError as error:
            record["failed"][way] = str(error)
    ready = {way: worker for way, worker in workers.items() if way not in record["failed"]}
    taken = take_turns(ready, rounds, "epoch")
    record["epochs"] = taken.rounds
    record["failed"] |= taken.failures
    release(workers, record["failed"])
    return record


def seconds(record: dict, way: str) -> float | None:
    """Seconds an epoch, or None where the way was not measured."""
    epochs = record["epochs"].get(way)
    return statistics.median(epochs["values"]) if epochs else None


def ratio(record: dict) -> float | None:
    """Returns how many times as long the better way of PyTorch takes as the suite."""
    ours = seconds(record, "suite")
    theirs = [value for way in ("padded", "packed") if (value := seconds(record, way))]
    return min(theirs) / ours if ours and theirs else None


def rows_of(record: dict) -> list[tuple]:
    """Returns the record's lines of the table, one a way."""
    rows = []
    for way, engine in WAYS.items():
        value = seconds(record, way)
        start = (record["corpus"], record["cell"], way)
        if value is None:
            absent = "failed" if installed(engine) else "not installed"
            rows.append((*start, *["-"] * 5, absent))
            continue
        mark = "~" if noisy(record["epochs"][way]) else ""
        figures = (
            f"{value:.2f}{mark}",
            f"{record['rows'] / value:,.0f}",
            f"{record['tokens'] / value:,.0f}",
            f"{record['padding_share'][way]:.1%}",
            f"{record['first_epoch_seconds'][way]:.1f}",
        )
        rows.append((*start, *figures, _ratio(record) if way == "suite" else ""))
    return rows


def _ratio(record: dict) -> str:
    value = ratio(record)
    return "-" if value is None else f"{value:.2f}"


def short_table(records: list[dict]) -> str:
    """Returns a line a corpus and cell, for docs/results."""
    titles = ("corpus", "cell", "rows", "suite s", "PyTorch padded s", "PyTorch packed s")
    titles += ("suite tokens/s", "padding: suite, PyTorch", "PyTorch / suite", "first epoch s")
    rows = []
    for record in records:
        times = {way: seconds(record, way) for way in WAYS}
        shares = [record["padding_share"].get(way) for way in ("suite", "padded")]
        first = record["first_epoch_seconds"].get("suite")
        rows.append(
            (
                record["corpus"],
                record["cell"],
                f"{record['rows']:,}",
                *("-" if value is None else f"{value:.2f}" for value in times.values()),
                f"{record['tokens'] / times['suite']:,.0f}" if times["suite"] else "-",
                ", ".join("-" if share is None else f"{share:.0%}" for share in shares),
                f"**{_ratio(record)}**",
                "-" if first is None else f"{first:.1f}",
            )
        )
    return markdown(titles, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", metavar="DIR", default="corpora")
    parser.add_argument("--corpora", nargs="+", choices=tuple(CORPORA), default=tuple(CORPORA))
    parser.add_argument("--cells", nargs="+", choices=("lstm", "gru"), default=("lstm", "gru"))
    parser.add_argument("--units", type=count, default=128)
    parser.add_argument(
        "--rows", type=int, default=4000, help="of each corpus; 0 for all (default: 4000)"
    )
    parser.add_argument("--rounds", type=count, default=5, help="epochs of each way (default: 5)")
    add_output_options(parser, "real_lengths.json")
    return parser.parse_args()


def main() -> None:
    options = _options()
    results, stream = begin(options, KEYS, TORCH_SETTINGS)
    print(line((*_TITLES, "PyTorch/suite"), _WIDTHS), file=stream)
    records = []
    for record in _records(options, results):
        records.append(record)
        for values in rows_of(record):
            print(line(values, _WIDTHS), file=stream, flush=True)
        for way, error in record["failed"].items():
            print(f"{way}: {error}", file=stream)
    print("PyTorch/suite: the better of its two ways", file=stream)
    print("~ other processes used the processor in some of the epochs", file=stream)
    if options.markdown:
        print(short_table(records))


def _records(options: argparse.Namespace, results: Results) -> Iterator[dict]:
    """Yields the record of each corpus and cell, measured where the file has none."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        workers = {
            way: stack.enter_context(Worker(engine))
            for way, engine in WAYS.items()
            if installed(engine)
        }
        rows = {}
        for corpus, cell in itertools.product(options.corpora, options.cells):
            key = dict(zip(KEYS, (corpus, cell, options.units, options.rows), strict=True))
            if (record := results.get(**key)) is None:
                if corpus not in rows:
                    rows[corpus] = _write(folder, corpus, options)
                record = measure(workers, rows[corpus], key, options.rounds)
                results.add(record)
            yield record


def _write(folder: Path, corpus: str, options: argparse.Namespace) -> dict:
    ids, lengths = token_ids(corpus, options.data_dir, options.rows)
    path = folder / f"{corpus}.npz"
    write_rows(path, ids, lengths)
    return {"file": path, "rows": len(lengths), "tokens": int(lengths.sum())}


if __name__ == "__main__":
    run(main)
