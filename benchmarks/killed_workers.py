"""A training of several processes of which one is killed again and again, beside an unbroken one.

    python benchmarks/killed_workers.py --folder /tmp/killed --kills 10

Trains a small classifier of the shipped sample in one process, then in several (`--workers`), and
then in several of which one, drawn by chance, gets SIGKILL at random moments. Prints the greatest
differences of histories and weights, and whether a process is left; all must be equal within 1e-5,
and the loss of an epoch within 2e-4.
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
from harness.processes import descendants, find_processes, left_over

# Without dropout: each process draws masks of its own part of a batch.
OPTIONS = (
    "--units 8 --embedding-dim 8 --dropout 0 --no-linear --no-characters --max-tokens 300 "
    "--max-length 20 --batch-size 32 --checkpoint-seconds 0 --patience 99"
)
TITLE = b"ray::RayTrainWorker"
# Sums are added in another order. A last batch that cannot be cut into equal parts is filled up
# with a row that does not count in its loss, but in the weight of that in the mean of the epoch.
TOLERANCES = {"figures": 1e-5, "loss": 2e-4, "weights": 1e-5}


def train(folder: Path, name: str, *options: str) -> list[str]:
    """Returns the command of a training."""
    own = ["train", "--run", str(folder / name), *shlex.split(OPTIONS), *options]
    return [sys.executable, "-m", "apps.spam", *own]


def has_gone_on(folder: Path, since: float) -> bool:
    """Whether an unfinished training has written a checkpoint since a time."""
    try:
        written = (folder / ".killed.training" / "checkpoints" / "checkpoint").stat().st_mtime
    except OSError:
        return False
    return written > since


def train_and_kill(
    folder: Path, command: list[str], kills: int, pause: float, generator: random.Random
) -> tuple[int, set[int]]:
    """Runs a training and kills processes of it; returns how many, and all that it has started.

    Of two kills one may come at any time from the start of the processes on, which takes them most
    of the time, and one only when these have written a checkpoint.
    """
    killed, process = 0, subprocess.Popen(command)
    begun, due = time.time(), None
    started: set[int] = set()
    while process.poll() is None:
        time.sleep(0.2)
        now = descendants(process.pid)
        started |= now
        training = sorted(now & set(find_processes(TITLE)))
        if killed >= kills or not training:
            continue
        if due is None and (killed % 2 == 0 or has_gone_on(folder, begun)):
            due = time.time() + generator.uniform(0, pause)
        if due is not None and time.time() >= due:
            os.kill(generator.choice(training), signal.SIGKILL)
            killed += 1
            print(f"killed {killed} of {kills}", flush=True)
            begun, due = time.time(), None
    if process.returncode:
        raise SystemExit(f"the training ended with {process.returncode}")
    return killed, started


def compare(one: Path, other: Path) -> dict[str, float]:
    """Returns the greatest differences between two runs."""
    histories = []
    for run in (one, other):
        with (run / "history.csv").open(encoding="utf-8") as file:
            histories.append(list(csv.DictReader(file)))
    assert [len(rows) for rows in histories] == [len(histories[0])] * 2
    differences: dict[str, float] = {"loss": 0.0, "figures": 0.0}
    for first, second in zip(*histories, strict=True):
        for name in first:
            kind = "loss" if name == "loss" else "figures"
            found = abs(float(first[name]) - float(second[name]))
            differences[kind] = max(differences[kind], found)
    from apps.spam import APPLICATION

    weights = [APPLICATION.trained(run).model.get_weights() for run in (one, other)]
    pairs = zip(*weights, strict=True)
    return {
        **differences,
        "weights": max(float(np.abs(first - second).max()) for first, second in pairs),
    }


def equal(differences: dict[str, float]) -> bool:
    """Whether differences are no more than the order of sums explains."""
    return all(found <= TOLERANCES[kind] for kind, found in differences.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the runs go")
    parser.add_argument("--workers", type=int, default=2, help="processes of a group")
    parser.add_argument("--kills", type=int, default=10, help="processes that are killed")
    parser.add_argument("--pause", type=float, default=20.0, help="most seconds until a kill")
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
    killed, started = train_and_kill(
        options.folder,
        train(options.folder, "killed", *group),
        options.kills,
        options.pause,
        random.Random(options.seed),
    )
    left = left_over(started)
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
    if left or not (equal(figures["group_and_one"]) and equal(figures["killed_and_group"])):
        raise SystemExit("a process is left, or runs differ")


if __name__ == "__main__":
    main()
