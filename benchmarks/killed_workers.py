"""A training of several processes of which one is killed again and again, beside an unbroken one.

    python benchmarks/killed_workers.py --folder /tmp/killed --kills 10

Trains a small classifier of the shipped sample in one process, then in several (`--workers`), and
then in several of which one, drawn by chance, gets SIGKILL at random moments. Prints the greatest
differences of histories and weights, and whether a process is left; all must be equal within 1e-5.
"""

import argparse
import csv
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.harness.processes import find_processes, left_over

# Without dropout: each process draws masks of its own part of a batch.
OPTIONS = (
    "--units 8 --embedding-dim 8 --dropout 0 --no-linear --no-characters --max-tokens 300 "
    "--max-length 20 --batch-size 32 --checkpoint-seconds 0 --patience 99"
)
TITLE = b"ray::RayTrainWorker"
TOLERANCE = 1e-5


def train(folder: Path, name: str, *options: str) -> list[str]:
    """Returns the command of a training."""
    own = ["train", "--run", str(folder / name), *shlex.split(OPTIONS), *options]
    return [sys.executable, "-m", "apps.spam", *own]


def train_and_kill(command: list[str], kills: int, pause: float, generator: random.Random) -> int:
    """Runs a training and kills processes of it; returns how many."""
    killed, process = 0, subprocess.Popen(command)
    due = time.monotonic() + generator.uniform(0, pause)
    while process.poll() is None:
        time.sleep(0.5)
        training = find_processes(TITLE)
        if not training:
            due = max(due, time.monotonic() + generator.uniform(0, pause))
        elif killed < kills and time.monotonic() >= due:
            os.kill(generator.choice(training), signal.SIGKILL)
            killed += 1
            due = time.monotonic() + generator.uniform(0, pause)
    if process.returncode:
        raise SystemExit(f"the training ended with {process.returncode}")
    return killed


def compare(one: Path, other: Path) -> dict[str, float]:
    """Returns the greatest differences between two runs."""
    histories = []
    for run in (one, other):
        with (run / "history.csv").open(encoding="utf-8") as file:
            histories.append(list(csv.DictReader(file)))
    assert [len(rows) for rows in histories] == [len(histories[0])] * 2
    history = max(
        abs(float(first[name]) - float(second[name]))
        for first, second in zip(*histories, strict=True)
        for name in first
    )
    from apps.spam import APPLICATION

    weights = [APPLICATION.trained(run).model.get_weights() for run in (one, other)]
    pairs = zip(*weights, strict=True)
    return {
        "history": history,
        "weights": max(float(np.abs(first - second).max()) for first, second in pairs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the runs go")
    parser.add_argument("--workers", type=int, default=2, help="processes of a group")
    parser.add_argument("--kills", type=int, default=10, help="processes that are killed")
    parser.add_argument("--pause", type=float, default=60.0, help="most seconds between two kills")
    parser.add_argument("--epochs", type=int, default=4, help="of each training")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    common = ["--epochs", str(options.epochs)]
    group = [*common, "--workers", str(options.workers)]
    seconds = {}
    for name, more in (("one", common), ("group", group)):
        if (options.folder / name).exists():  # of a former call
            continue
        started = time.perf_counter()
        subprocess.run(train(options.folder, name, *more), check=True)
        seconds[name] = round(time.perf_counter() - started, 1)
    killed = train_and_kill(
        train(options.folder, "killed", *group),
        options.kills,
        options.pause,
        random.Random(options.seed),
    )
    left = left_over()
    runs = {name: options.folder / name for name in ("one", "group", "killed")}
    figures = {
        "seconds": seconds,
        "killed": killed,
        "processes_left": len(left),
        "group_and_one": compare(runs["one"], runs["group"]),
        "killed_and_group": compare(runs["group"], runs["killed"]),
    }
    text = json.dumps(figures, indent=2)
    (options.folder / "killed_workers.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    worst = max(*figures["group_and_one"].values(), *figures["killed_and_group"].values())
    if left or worst > TOLERANCE:
        raise SystemExit("a process is left, or runs differ")


if __name__ == "__main__":
    main()
