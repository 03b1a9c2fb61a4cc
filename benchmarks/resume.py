"""Kills trainings at random moments, resumes them, and looks whether they end as an unbroken one.

    python benchmarks/resume.py
    python benchmarks/resume.py --kills 100 --seed 1

A small classifier of the shipped sample is trained once without interruption, in this process.
Others are killed by SIGKILL up to four times each, and each time go on with `train --resume`. The
moments are after a process's first checkpoint, drawn evenly from half of the time that the unbroken
training took from its own to its end. Every other training writes a checkpoint after each batch, so
that many kills hit the writing; the others write one every half second. Weights are compared bit by
bit, `history.csv` byte by byte.

Prints a table and writes JSON with every kill.
"""

import argparse
import contextlib
import io
import json
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from harness.report import add_output_options, begin, count, markdown, plain, run

from data.errors import UserError

KEYS = ("training",)
_COMMAND = [sys.executable, "-m", "apps.hate_speech", "train"]
# One length of texts and one direction: a process begins to train soon.
_OPTIONS = shlex.split(
    "--deterministic --weight-drop 0.2 --max-length 8 --no-characters --no-bidirectional"
)
_SECONDS = (0.0, 0.5)
_KILLS_EACH = 4
_TITLES = (
    "kills",
    "that left an unfinished checkpoint",
    "trainings with equal weights",
    "with equal history.csv",
    "a checkpoint, ms",
    "its size, MiB",
    "share of the training",
)


class Unbroken:
    """The training that nothing interrupts, and what its checkpoints cost.

    Args:
        folder: where its run goes.
    """

    def __init__(self, folder: Path):
        from apps.commands.startup import import_tensorflow

        import_tensorflow()
        from apps.commands.main import main
        from apps.hate_speech import APPLICATION
        from apps.training.checkpoints import Checkpoints

        self.milliseconds, self.bytes = [], 0
        save = Checkpoints.save

        def timed(checkpoints):
            started = time.perf_counter()
            save(checkpoints)
            self.milliseconds.append(1000 * (time.perf_counter() - started))
            files = (folder.parent / f".{folder.name}.training" / "checkpoints").iterdir()
            latest = max(files, key=lambda path: path.stat().st_mtime_ns if path.suffix else 0)
            self.bytes = sum(path.stat().st_size for path in latest.parent.glob(f"{latest.stem}.*"))
            self.first = getattr(self, "first", time.monotonic())

        Checkpoints.save = timed
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                main(APPLICATION, ["train", *_OPTIONS, "--run", str(folder)])
        finally:
            Checkpoints.save = save
        self.seconds_after_first = time.monotonic() - self.first
        description = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.share = sum(self.milliseconds) / 1000 / description["training_seconds"]
        self.weights, self.history = weights(folder), (folder / "history.csv").read_bytes()


def weights(folder: Path) -> dict[str, bytes]:
    """Returns the bytes of each weight of a run's model."""
    import h5py

    with zipfile.ZipFile(folder / "model.keras") as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    found = {}
    with h5py.File(content) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def measure(training: int, kills: int, unbroken: Unbroken, seed: int) -> dict:
    """Returns the record of one training that is killed so often, or ends before.

    Raises:
        UserError: it failed otherwise than by being killed.
    """
    draw = random.Random(f"{seed} {training}")
    seconds = _SECONDS[training % len(_SECONDS)]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command, found = [*_COMMAND, *_OPTIONS], []
        for _ in range(kills):
            delay = draw.uniform(0.0, unbroken.seconds_after_first / 2)
            kill = _kill([*command, "--checkpoint-seconds", str(seconds)], run, delay)
            if kill is None:
                break
            found.append(kill)
            command = [*_COMMAND, "--resume"]
        else:
            done = subprocess.run([*command, "--run", run], capture_output=True, text=True)
            if done.returncode:
                raise UserError(f"training {training} did not resume: {done.stderr.strip()}")
        return {
            "training": training,
            "checkpoint_seconds": seconds,
            "kills": found,
            "equal_weights": weights(run) == unbroken.weights,
            "equal_history": (run / "history.csv").read_bytes() == unbroken.history,
        }


def _kill(command: list, run: Path, delay: float) -> dict | None:
    """Kills a training so long after its first checkpoint; None if it had ended before."""
    folder = run.parent / ".run.training" / "checkpoints"
    listed = folder / "checkpoint"
    before = listed.stat().st_mtime_ns if listed.exists() else 0
    with subprocess.Popen(
        [*command, "--run", run], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while not listed.exists() or listed.stat().st_mtime_ns == before:
            if process.poll() is not None:
                break
            time.sleep(0.005)
        else:
            time.sleep(delay)
            process.kill()
        error = process.stderr.read().decode().strip()
    if process.returncode > 0:
        raise UserError(f"a training failed: {error}")
    if process.returncode == 0:
        return None
    complete = listed.read_text(encoding="utf-8") if listed.exists() else ""
    stems = {path.stem for path in folder.iterdir()} - {"checkpoint"} if folder.exists() else set()
    return {
        "delay": delay,
        "unfinished_checkpoint": any(f'"{stem}"' not in complete for stem in stems),
    }


def summary(records: list[dict], unbroken: Unbroken) -> list[str]:
    """Returns the row of the table."""
    kills = [kill for record in records for kill in record["kills"]]
    return [
        str(len(kills)),
        str(sum(kill["unfinished_checkpoint"] for kill in kills)),
        f"{sum(record['equal_weights'] for record in records)} of {len(records)}",
        f"{sum(record['equal_history'] for record in records)} of {len(records)}",
        f"{statistics.median(unbroken.milliseconds):.0f}",
        f"{unbroken.bytes / 2**20:.1f}",
        f"{unbroken.share:.1%}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=count, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of their moments")
    add_output_options(parser, "resume.json")
    options = parser.parse_args()
    results, stream = begin(options, KEYS, "train --resume after SIGKILL, shipped sample")
    with tempfile.TemporaryDirectory() as folder:
        unbroken = Unbroken(Path(folder) / "run")
    records, killed = [], 0
    while killed < options.kills:
        training = len(records)
        kills = min(_KILLS_EACH, options.kills - killed)
        record = results.get(training=training)
        records.append(record or measure(training, kills, unbroken, options.seed))
        results.add(records[-1])
        killed += len(records[-1]["kills"])
        print(json.dumps(records[-1]), file=stream, flush=True)
    print((markdown if options.markdown else plain)(_TITLES, [summary(records, unbroken)]))
    if not all(record["equal_weights"] and record["equal_history"] for record in records):
        raise UserError("not every training ended as the unbroken one")


if __name__ == "__main__":
    run(main)
