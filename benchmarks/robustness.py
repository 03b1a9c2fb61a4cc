"""Damaged and hostile inputs against every reader of the suite: none may end in a traceback.

    python benchmarks/robustness.py
    python benchmarks/robustness.py --readers pairs --inputs 5000 --seed 1 --keep failures

Each input is a small file that a generator made and damaged; the same seed makes the same files.
A reader answers it, or refuses it in one line. Anything else is counted: another exception, a
message of several lines, more than a second of processor time, more than 200 MB of memory, a
process that died. `--keep FOLDER` keeps the inputs that failed.
"""

import argparse
import contextlib
import importlib
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness import hostile_inputs as inputs
from harness.report import count, markdown, plain, run
from harness.suite_readers import READERS

from data.errors import UserError
from data.files.writing import whole_file

_SECONDS, _MEGABYTES = 1.0, 200
# A reader that does not end by itself is stopped after so many seconds.
_STOPPED_AFTER = 20
# Inputs that one process reads: what it leaves in memory goes with it.
_INPUTS_A_PROCESS = 250
_TITLES = ("reader", "inputs", "answered", "refused", "uncaught", "several lines", "slow", "large")
_OUTCOMES = ("answered", "refused", "uncaught", "several lines", "slow", "large")


def make_input(reader: str, seed: int, number: int) -> tuple[str, bytes, random.Random]:
    """One input of a reader: the file's name, its content, and the generator that goes on."""
    generator = random.Random(f"{seed} {reader} {number}")
    name, make = generator.choice(READERS[reader].formats)
    content = make(generator)
    packing = _packing(name)
    if packing:
        # Inside, outside, or both.
        where = generator.randrange(3)
        content = inputs.damage(generator, content) if where != 1 else content
        content = inputs.packed(generator, packing, content, name.removesuffix(packing))
        content = inputs.damage(generator, content) if where != 0 else content
    elif generator.random() < 0.75:
        content = inputs.damage(generator, content)
    return name, content, generator


def _packing(name: str) -> str:
    tail = name[name.index(".") :]
    if tail.startswith(".tar"):
        return tail
    return Path(name).suffix if name.count(".") > 1 else ""


def try_reader(reader: str, seed: int, number: int, folder: Path) -> tuple[str, str]:
    """Returns the outcome of one input, and what went wrong, if anything did."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    name, content, generator = make_input(reader, seed, number)
    path = folder / name
    path.write_bytes(content)
    before, started = _peak_megabytes(), time.process_time()
    outcome, reason = "answered", ""
    signal.setitimer(signal.ITIMER_PROF, _STOPPED_AFTER)
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            READERS[reader].read(path, generator)
    except UserError as error:
        outcome = "refused" if "\n" not in str(error) else "several lines"
        reason = str(error) if outcome != "refused" else ""
    except BaseException as error:
        outcome, reason = "uncaught", f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds, megabytes = time.process_time() - started, _peak_megabytes() - before
    if outcome in ("answered", "refused"):
        if seconds > _SECONDS:
            outcome, reason = "slow", f"{seconds:.1f} s of processor time"
        elif megabytes > _MEGABYTES:
            outcome, reason = "large", f"{megabytes:.0f} MB"
    return outcome, reason


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _stop(number, frame):
    raise TimeoutError(f"not done after {_STOPPED_AFTER} s of processor time")


def outcomes(reader: str, seed: int, numbers: range) -> Iterator[tuple[int, str, str]]:
    """Number, outcome and reason of each input, read in processes that may die."""
    for module in READERS[reader].modules:
        importlib.import_module(module)
    rest = list(numbers)
    while rest:
        done = 0
        for found in _in_a_process(reader, seed, rest[:_INPUTS_A_PROCESS]):
            done += 1
            yield found
        rest = rest[done:]


def _left(outcome: str) -> bool:
    """Whether a process ends after such an input: its peak of memory hides the next one's."""
    return outcome in ("large", "uncaught", "slow")


def _in_a_process(reader: str, seed: int, numbers: list[int]) -> Iterator[tuple[int, str, str]]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        signal.signal(signal.SIGPROF, _stop)
        with os.fdopen(writing, "w") as out, tempfile.TemporaryDirectory() as folder:
            for number in numbers:
                found = try_reader(reader, seed, number, Path(folder) / "in")
                print(json.dumps([number, *found]), file=out, flush=True)
                if _left(found[0]):
                    break
        os._exit(0)
    os.close(writing)
    done = 0
    with os.fdopen(reading) as lines:
        for line in lines:
            done += 1
            yield tuple(json.loads(line))
    _, status = os.waitpid(child, 0)
    if status:
        yield numbers[done], "uncaught", f"the process died: {status}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", nargs="+", choices=tuple(READERS), default=tuple(READERS))
    parser.add_argument("--inputs", type=count, default=100_000, help="of all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", metavar="FOLDER", help="keep inputs that failed there")
    parser.add_argument("--output", metavar="FILE", default="robustness.json", help="the figures")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/results")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rows, failures = [], 0
    for reader in options.readers:
        each = -(-options.inputs // len(options.readers))
        found = Counter()
        for number, outcome, reason in outcomes(reader, options.seed, range(each)):
            found[outcome] += 1
            if outcome in ("answered", "refused"):
                continue
            failures += 1
            print(f"{reader}, input {number}: {outcome}, {reason}", file=sys.stderr)
            if options.keep:
                name, content, _ = make_input(reader, options.seed, number)
                Path(options.keep).mkdir(parents=True, exist_ok=True)
                (Path(options.keep) / f"{reader}-{number}-{name}".replace(" ", "-")).write_bytes(
                    content
                )
        rows.append([reader, f"{each:,}", *(f"{found[name]:,}" for name in _OUTCOMES)])
    with whole_file(Path(options.output)) as partial:
        records = [dict(zip(_TITLES, row, strict=True)) for row in rows]
        partial.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    print((markdown if options.markdown else plain)(_TITLES, rows))
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
