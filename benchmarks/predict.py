"""Speed and memory of `predict --input` on a file of tweets made from the shipped sample.

    python benchmarks/predict.py --run runs/davidson --rows 100000
    python benchmarks/predict.py --run runs/davidson --rows 1000000

Prints a table and writes `predict.json` beside the file of rows. The rows are the sample's, in
turn, each with its number, so that no two texts are alike.
"""

import argparse
import csv
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data.formats.readers import read_records
from data.registry import SAMPLES

COMMAND = [sys.executable, "-m", "apps.hate_speech", "predict"]
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


def seconds_for(run: str, rows: int, folder: Path) -> float:
    """Wall-clock seconds of the whole command on a file of that many rows."""
    source, output = folder / f"{rows}.csv", folder / f"{rows}.scored.csv"
    write_rows(source, rows)
    command = [*COMMAND, "--run", run, "--input", str(source), "--output", str(output)]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained model")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the file")
    parser.add_argument("--json", default="predict.json", help="where the figures go")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start_up = seconds_for(options.run, FEW_ROWS, Path(folder))
        total = seconds_for(options.run, options.rows, Path(folder))
    # ru_maxrss is in kilobytes on Linux, of the largest child.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figures = {
        "rows": options.rows,
        "start_up_seconds": round(start_up, 1),
        "seconds": round(total, 1),
        "rows_per_second_after_start_up": round((options.rows - FEW_ROWS) / (total - start_up)),
        "peak_memory_mib": round(peak),
    }
    Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):32}{value:>12}")


if __name__ == "__main__":
    main()
