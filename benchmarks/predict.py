"""Speed and memory of `predict --input` on a file of tweets made from the shipped sample.

    python benchmarks/predict.py --run runs/davidson --rows 100000
    python benchmarks/predict.py --run runs/davidson --rows 1000000
    python benchmarks/predict.py --run runs/davidson --workers 2

Prints a table and writes `predict.json` beside the file of rows. The rows are the sample's, in
turn, each with its number, so that no two texts are alike.
"""

import argparse
import csv
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data.formats.readers import read_records
from data.registry import SAMPLES

# The command, and then the processor seconds and KiB of memory of its process, and of those that
# answer for it.
COMMAND = """
import json, resource, sys
from apps.commands.main import main
from apps.hate_speech import APPLICATION
if __name__ == "__main__":
    main(APPLICATION, sys.argv[1:])
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    usages = [resource.getrusage(each) for each in whose]
    print(json.dumps([[each.ru_utime + each.ru_stime, each.ru_maxrss] for each in usages]))
"""
# A file this small measures the start-up, which is subtracted.
FEW_ROWS = 10


def write_rows(path: Path, rows: int) -> None:
    """Writes a CSV file with a column `text`."""
    texts = [record.values["text"] for record in read_records(str(SAMPLES / "hate_speech.csv"))]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text"])
        for number, text in zip(range(rows), itertools.cycle(texts), strict=False):
            writer.writerow([f"{text} {number}"])


def measure(options: argparse.Namespace, rows: int, folder: Path) -> tuple[float, list]:
    """Returns the wall-clock seconds of the whole command on a file of that many rows, and what
    `COMMAND` says of its processes."""
    source, output = folder / f"{rows}.csv", folder / f"{rows}.scored.csv"
    write_rows(source, rows)
    files = ["--run", options.run, "--input", str(source), "--output", str(output)]
    more = ["--engine", options.engine, "--workers", str(options.workers)]
    started = time.perf_counter()
    command = [sys.executable, "-c", COMMAND, "predict", *files, *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return time.perf_counter() - started, json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained model")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the file")
    parser.add_argument("--engine", default="auto", help="as predict takes it")
    parser.add_argument("--workers", type=int, default=1, help="as predict takes it")
    parser.add_argument("--json", default="predict.json", help="where the figures go")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start_up, _ = measure(options, FEW_ROWS, Path(folder))
        total, processes = measure(options, options.rows, Path(folder))
    (own, own_memory), (answering, memory) = processes
    figures = {
        "rows": options.rows,
        "workers": options.workers,
        "start_up_seconds": round(start_up, 1),
        "seconds": round(total, 1),
        "rows_per_second_after_start_up": round((options.rows - FEW_ROWS) / (total - start_up)),
        "processor_seconds": round(own, 1),
        "processor_seconds_of_workers": round(answering, 1),
        # Linux counts in kilobytes, of the largest process.
        "peak_memory_mib": round(max(own_memory, memory) / 1024),
    }
    Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):32}{value:>12}")


if __name__ == "__main__":
    main()
