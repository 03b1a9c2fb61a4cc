"""A search and answers on a Ray cluster of this machine, beside those of processes.

    python benchmarks/cluster.py --folder /tmp/cluster

Trains a small classifier of the shipped sample, and answers files of four formats in one process
and on the cluster: all parts must be the same, also where the command was killed half way, or a
process of the cluster was. A search begins in a process and goes on as tasks of the cluster. No
process of Ray may listen on another address than loopback, and none may be left.
"""

import argparse
import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet
from harness.processes import (
    descendants,
    find_processes,
    left_over,
    listening_addresses,
)

from apps.cluster.connection import connected

MODEL = "--units 3 --embedding-dim 4 --no-linear --no-characters --max-tokens 200 --max-length 12"
# Three parts of a file.
ROWS = 2 * 16_384 + 100
PATIENCE_SECONDS = 3600


def command(verb: str, *options: object) -> list[str]:
    """Returns a command of the suite."""
    return [sys.executable, "-m", "apps.spam", verb, *map(str, options)]


def run(*arguments: object) -> float:
    """Runs a command of the suite; returns its seconds."""
    begun = time.perf_counter()
    subprocess.run(command(*arguments), check=True, timeout=PATIENCE_SECONDS)
    return round(time.perf_counter() - begun, 1)


def write_inputs(folder: Path) -> dict[str, Path]:
    """Writes the files to answer, each with a row that has no text."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [f"call {number} now for a free prize" for number in range(ROWS)]
    texts[7] = " "
    numbers = list(range(ROWS))
    paths = {name: folder / f"in.{name}" for name in ("parquet", "csv", "jsonl", "txt")}
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "n": numbers}), paths["parquet"])
    few = texts[:200]
    with paths["csv"].open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text", "n"], *zip(few, numbers, strict=False)])
    lines = [json.dumps({"text": text}) for text in few]
    paths["jsonl"].write_text("\n".join([*lines, "{broken"]) + "\n", encoding="utf-8")
    paths["txt"].write_text("\n".join(few) + "\n", encoding="utf-8")
    return paths


def files_of(folder: Path) -> dict[str, bytes]:
    """Returns the parts of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("p*-*"))}


def wait_for_part(folder: Path, process: subprocess.Popen) -> None:
    """Waits until a part is there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (folder / "part-00001.parquet").exists():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit("the command ended without a part")
        time.sleep(0.01)


def answer(folder: Path, model: Path, address: str) -> dict[str, object]:
    """Answers the files in both ways; returns what was seen."""
    seen: dict[str, object] = {}
    for name, path in write_inputs(folder).items():
        common = ["predict", "--run", model, "--input", path, "--output"]
        here, there = folder / f"here-{name}", folder / f"there-{name}"
        seconds = run(*common, f"{here}/")
        options = [f"{there}/", "--cluster", address, "--workers", 2]
        if name == "parquet":
            process = subprocess.Popen(command(*common, *options))
            wait_for_part(there, process)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_SECONDS)
            seen["parts_when_killed"] = len(list(there.glob("part-*")))
            process = subprocess.Popen(command(*common, *options))
            while not (actors := find_processes(b"ray::Actor")) and process.poll() is None:
                time.sleep(0.01)
            for actor in actors[:1]:
                os.kill(actor, signal.SIGKILL)
            seen["processes_killed"] = len(actors[:1])
            if process.wait(PATIENCE_SECONDS):
                raise SystemExit("the command that went on has failed")
        else:
            seen[f"{name}_seconds"] = {"one": seconds, "cluster": run(*common, *options)}
        seen[f"{name}_equal"] = files_of(here) == files_of(there)
        seen[f"{name}_files"] = sorted(files_of(there))
    return seen


def search(folder: Path, address: str) -> dict[str, object]:
    """Searches in a process, and goes on in the cluster; returns what was seen."""
    study = folder / "study"
    fixed = [*shlex.split(MODEL), "--epochs", 2, "--batch-size", 64]
    run("search", "--study", study, "--trials", 2, *fixed)
    seconds = run(
        *("search", "--study", study, "--resume", "--trials", 4),
        *("--workers", 2, "--cluster", address),
    )
    with (study / "trials.csv").open(encoding="utf-8") as file:
        states = [row["state"] for row in csv.DictReader(file)]
    return {"states": states, "best": (study / "best.json").exists(), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where everything goes")
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    model = folder / "run"
    if not model.exists():
        run("train", "--run", model, "--epochs", 1, "--batch-size", 64, *shlex.split(MODEL))
    with connected(None, 2) as ray:
        address = ray.get_runtime_context().gcs_address
        figures: dict = {"search": search(folder, address)}
        figures["predict"] = answer(folder, model, address)
        started = descendants(os.getpid())
        addresses = listening_addresses(started)
    figures["addresses"] = sorted(addresses)
    figures["processes_left"] = len(left_over(started))
    text = json.dumps(figures, indent=2)
    (folder / "cluster.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    equal = [value for name, value in figures["predict"].items() if name.endswith("_equal")]
    if not all(equal) or figures["processes_left"] or addresses != {"127.0.0.1"}:
        raise SystemExit("answers differ, a process is left, or one can be reached from outside")


if __name__ == "__main__":
    main()
