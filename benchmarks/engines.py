"""What answers cost with ONNX and with TensorFlow, and how far they differ.

    python benchmarks/engines.py --run runs/hate_speech

For each engine: the first answer of a new process (`predict` of one text: seconds, seconds of
processor time and MiB, medians of the rounds), milliseconds of processor time a text, one after the
other and together, and texts a second from file to file. Then, on the test split of the run's data,
the texts that get other labels, and the largest difference of two scores.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import apps
from apps.catalog import find_application
from apps.runs.files import read_run
from apps.runs.folder import RunFolder

ENGINES, ROUNDS, TEXTS = ("onnx", "tensorflow"), 3, 400


def read_test_texts(run: Path) -> list[str]:
    """Returns the texts of the test split of a run's data."""
    files = read_run(RunFolder(run))
    application = find_application(files.description.application)
    corpus: Any = application.read_data(application.config_of(files))
    return list(corpus.split("test").texts)


# A small process between: the memory of a new process counts from that of the one that made it.
_RUNNER = """
import json, resource, subprocess, sys, time
begin = time.monotonic()
done = subprocess.run([sys.executable, "-m", *sys.argv[1:]], stdout=subprocess.DEVNULL)
seconds, usage = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
sys.exit(done.returncode)
"""


def run_command(*arguments: str) -> tuple[float, float, float]:
    """Runs a command; returns its seconds, its seconds of processor time and its MiB."""
    command = [sys.executable, "-c", _RUNNER, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return tuple(json.loads(done.stdout))


def predict(run: Path, engine: str, *arguments: str) -> tuple[float, float, float]:
    """Runs `predict` as a command; see `run_command`."""
    name = read_run(RunFolder(run)).description.application
    return run_command(f"apps.{name}", "predict", "--run", str(run), "--engine", engine, *arguments)


def measure(run: Path, engine: str, texts: list[str]) -> dict[str, float]:
    """Returns what the answers of an engine cost."""
    cold = [predict(run, engine, texts[0]) for _ in range(ROUNDS)]
    seconds, processor, memory = (statistics.median(column) for column in zip(*cold, strict=True))
    model, some = apps.load(run, engine), texts[:TEXTS]
    model.predict(some)
    for text in some:
        model.predict(text)
    marks = [time.process_time()]
    for text in some:
        model.predict(text)
    marks.append(time.process_time())
    model.predict(some)
    marks.append(time.process_time())
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        rows = [*texts] * max(1, 20_000 // len(texts))
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))
        arguments = ["--input", str(source), "--output", str(target)]
        whole, *_ = predict(run, engine, *arguments, "--text-column", "text")
    return {
        "first answer, s": seconds,
        "processor, s": processor,
        "memory, MiB": memory,
        "ms a text": 1000 * (marks[1] - marks[0]) / len(some),
        "ms a text, together": 1000 * (marks[2] - marks[1]) / len(some),
        "texts a second, file": len(rows) / (whole - seconds),
    }


def compare(run: Path, texts: list[str]) -> str:
    """Returns a line on how far the answers of the engines differ."""
    ours, theirs = (apps.load(run, engine).predict(texts) for engine in ENGINES)
    if hasattr(ours[0], "entities"):
        others = sum(
            [(e.start, e.end, e.label) for e in a.entities]
            != [(e.start, e.end, e.label) for e in b.entities]
            for a, b in zip(ours, theirs, strict=True)
        )
        gaps = [
            abs(x.score - y.score)
            for a, b in zip(ours, theirs, strict=True)
            for x, y in zip(a.entities, b.entities, strict=False)
        ]
    else:
        pairs = list(zip(ours, theirs, strict=True))
        others = sum(a.labels != b.labels for a, b in pairs)
        gaps = [abs(a.scores[name] - b.scores[name]) for a, b in pairs for name in a.scores]
    gap = max(gaps, default=0.0)
    return f"{len(texts):,} test texts: {others} with other answers, scores within {gap:.1e}"


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, metavar="DIR")
    run = parser.parse_args().run
    texts = read_test_texts(run)
    columns = {engine: measure(run, engine, texts) for engine in ENGINES}
    print(f"{'':24}" + "".join(f"{engine:>12}" for engine in ENGINES))
    for name in columns["onnx"]:
        print(f"{name:24}" + "".join(f"{columns[engine][name]:12.2f}" for engine in ENGINES))
    print(compare(run, texts))


if __name__ == "__main__":
    main()
