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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hostile_inputs as inputs
from report import count, markdown, plain, run

from data.errors import UserError
from data.files import whole_file

_SECONDS, _MEGABYTES = 1.0, 200
# A reader that does not end by itself is stopped after so many seconds.
_STOPPED_AFTER = 20
# Inputs that one process reads: what it leaves in memory goes with it.
_INPUTS_A_PROCESS = 250
_TITLES = ("reader", "inputs", "answered", "refused", "uncaught", "several lines", "slow", "large")
_OUTCOMES = ("answered", "refused", "uncaught", "several lines", "slow", "large")


@dataclass(frozen=True)
class Reader:
    """What reads files of some formats.

    Attributes:
        formats: pairs of a file's name and what makes its content; of a name with a second suffix
            (`.tsv.gz`) the content is packed.
        read: of the path and the generator of the input.
        modules: what it imports. They are imported before the processes are made, whose time and
            memory is then that of reading.
    """

    formats: tuple[tuple[str, Callable[[random.Random], bytes]], ...]
    read: Callable[[Path, random.Random], object]
    modules: tuple[str, ...] = ()


def _answer_rows(path: Path, generator: random.Random) -> None:
    """What `predict --input --output` does but for the answers."""
    from data.record_writers import record_writer
    from data.records import read_records

    output = path.with_name("out" + generator.choice([".csv", ".tsv", ".jsonl", ".parquet"]))
    with record_writer(str(output), like=str(path), csv_safe=generator.random() < 0.5) as write:
        for record in read_records(str(path)):
            write({"text": None, **record.values, "predicted_label": "a"})
    if output.suffix != ".csv":
        # What was written can be read again.
        for record in read_records(str(output)):
            assert not record.problem, record.problem


def _read_labelled(path: Path, generator: random.Random) -> None:
    from data.columns import Columns
    from data.tabular import read_table

    read_table(str(path), Columns(label_separator=generator.choice(["", "|"])))


def _read_documents(path: Path, generator: random.Random) -> None:
    from data.columns import Columns
    from data.document_files import read_document_files

    read_document_files(str(path), Columns())


def _read_tagged(path: Path, generator: random.Random) -> None:
    from data.tagged_columns import TaggedColumns
    from data.tagged_files import read_tagged_files

    read_tagged_files(str(path), TaggedColumns(tag=generator.choice([-1, 1, 7])))


def _read_pairs(path: Path, generator: random.Random) -> None:
    from data.parallel_columns import ParallelFiles
    from data.parallel_files import read_parallel_files

    column = generator.choice([None, None, 0, 3])
    read_parallel_files(str(path), ParallelFiles("en", "fr", source_column=column))


def _read_vectors(path: Path, generator: random.Random) -> None:
    from data.vectors import first_words, read_vectors

    read_vectors(str(path), ["w1", "w4", "text"])
    first_words(str(path), 3)


def _read_terms(path: Path, generator: random.Random) -> None:
    from data.identity_file import read_identity_terms

    read_identity_terms(path)


def _read_archive(path: Path, generator: random.Random) -> None:
    from data.archives import read_tar

    for _ in read_tar(path, lambda name: True):
        pass


def _read_options(path: Path, generator: random.Random) -> None:
    from apps.options import from_file, override
    from apps.spam import APPLICATION

    given = from_file(str(path))
    override(APPLICATION.recipe(given.get("dataset", "sample")), given)


def _read_run(path: Path, generator: random.Random) -> None:
    from apps.run_files import read_run
    from apps.run_folder import RunFolder
    from apps.spam import APPLICATION
    from apps.unfinished import UnfinishedTraining

    (path.parent / "model.keras").touch()
    shutil.copy(path, path.with_name("metrics.json"))
    run = RunFolder(path.parent)
    (path.parent / "checkpoints").mkdir(exist_ok=True)
    (path.parent / "checkpoints" / "checkpoint").touch()
    unfinished = UnfinishedTraining(path.parent / "other")
    shutil.rmtree(unfinished.path, ignore_errors=True)
    ignored = shutil.ignore_patterns(".*", "out*")
    shutil.copytree(path.parent, unfinished.path, ignore=ignored)
    for read in (
        lambda: APPLICATION.config_of(read_run(run)),
        lambda: run.add_metrics("test", {"accuracy": 0.5}),
        lambda: unfinished.describe("spam"),
    ):
        with contextlib.suppress(UserError):
            read()


def _read_history(path: Path, generator: random.Random) -> None:
    from apps.run_folder import RunFolder

    RunFolder(path.parent).history()


def _read_units(path: Path, generator: random.Random) -> None:
    from data.units import Units

    Units.load(path.parent)


def _read_vocabulary(path: Path, generator: random.Random) -> None:
    from data.preprocessor import Vocabularies

    path.with_name("characters.txt").write_text("a\nb\n")
    Vocabularies.load(path.parent)


def _read_decision(path: Path, generator: random.Random) -> None:
    from models.decision import Decision

    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        # Whoever reads the file has refused it.
        return
    with contextlib.suppress(KeyError, TypeError, ValueError):
        Decision.read(values, ("a", "b"), False)


_TABLES = (
    ("in.csv", inputs.delimited),
    ("in.tsv", inputs.delimited),
    ("in.jsonl", inputs.json_lines),
    ("in.parquet", inputs.parquet),
)
READERS = {
    "tables to tables": Reader(
        (*_TABLES, ("in.txt", inputs.plain)),
        _answer_rows,
        ("data.record_writers", "data.records", "pyarrow.parquet"),
    ),
    "transcripts": Reader(
        (("in.srt", inputs.subtitles), ("in.vtt", inputs.subtitles)),
        _answer_rows,
        ("data.record_writers", "data.records", "pyarrow.parquet"),
    ),
    "labelled texts": Reader(_TABLES, _read_labelled, ("data.tabular", "pyarrow.parquet")),
    "documents": Reader(
        (*_TABLES, ("in.txt", inputs.plain)),
        _read_documents,
        ("data.document_files", "pyarrow.parquet"),
    ),
    "tagged texts": Reader(
        (
            ("in.conll", inputs.tagged),
            ("in.jsonl", inputs.json_lines),
            ("in.parquet", inputs.parquet),
        ),
        _read_tagged,
        ("data.tagged_files", "pyarrow.parquet"),
    ),
    "pairs": Reader(
        (
            *((f"in.{suffix}", inputs.pairs) for suffix in ("csv", "tsv", "tsv.gz", "tsv.zip")),
            *((f"in.{suffix}", inputs.memory) for suffix in ("tmx", "tmx", "tmx.gz", "tmx.xz")),
        ),
        _read_pairs,
        ("data.parallel_files",),
    ),
    "vectors": Reader(
        tuple((f"in.txt{packing}", inputs.vectors) for packing in ("", ".gz", ".xz", ".zip")),
        _read_vectors,
        ("data.vectors",),
    ),
    "identity terms": Reader((("terms.csv", inputs.terms),), _read_terms, ("data.identity_file",)),
    "archives": Reader(
        tuple((f"in{s}", inputs.plain) for s in (".tar", ".tar.gz", ".tar.xz", ".tar.bz2")),
        _read_archive,
        ("data.archives",),
    ),
    "files of options": Reader(
        (("options.json", inputs.options),), _read_options, ("apps.options", "apps.spam")
    ),
    "run folders": Reader(
        (("config.json", inputs.options),), _read_run, ("apps.spam", "apps.unfinished")
    ),
    "histories": Reader((("history.csv", inputs.history),), _read_history, ("apps.run_folder",)),
    "units": Reader((("units.json", inputs.units),), _read_units, ("data.units",)),
    "vocabularies": Reader(
        (("vocabulary.txt", inputs.vocabulary),), _read_vocabulary, ("data.preprocessor",)
    ),
    "decisions": Reader(
        (("decision.json", inputs.decision),), _read_decision, ("models.decision",)
    ),
}


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
    """The outcome of one input, and what went wrong, if anything did."""
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
    parser.add_argument("--markdown", action="store_true", help="print the table for a README")
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
