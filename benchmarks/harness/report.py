"""What the benchmarks have in common around the measuring: results on disk, tables, statistics."""

import hashlib
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from data.errors import UserError
from data.files.writing import whole_file

_PACKAGES = ("recurrent-text-suite", "tensorflow", "keras", "torch", "numpy")
_SOURCES = (".py", ".cc", ".h", ".inc")
TORCH_SETTINGS = (
    "PyTorch flushes denormal numbers to zero (torch.set_flush_denormal), as TensorFlow does by "
    "itself: without it, it is up to five times slower on long texts. Each thread has its own core."
)


def surroundings() -> dict:
    """What figures depend on: processor, threads, versions, and the models' source files."""
    cores = len(os.sched_getaffinity(0))
    return {
        "processor": _processor(),
        "cores": cores,
        "threads": {"tensorflow": f"default ({cores})", "torch": cores},
        "system": platform.platform(),
        "versions": {"python": platform.python_version(), **_versions()},
        "models_sha256": _models_sha256(),
        "torch_settings": TORCH_SETTINGS,
    }


def _processor() -> str:
    """Returns the processor's name and the widest vector instructions it has."""
    facts = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    flags = set(facts.get("flags", "").split())
    vectors = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if flag in flags]
    return f"{facts.get('model name', platform.machine())} ({', '.join(vectors) or 'no AVX2'})"


def _versions() -> dict[str, str | None]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _models_sha256() -> str:
    digest = hashlib.sha256()
    for folder in importlib.util.find_spec("models").submodule_search_locations:
        for path in sorted(Path(folder).rglob("*.*")):
            if path.suffix in _SOURCES:
                digest.update(path.read_bytes())
    return digest.hexdigest()


def free_memory() -> int:
    """Bytes that processes can still get without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError("/proc/meminfo does not say what is available")


class Results:
    """The measured records, on disk after each: an interrupted run goes on where it stopped.

    Args:
        path: the JSON file; its records are kept if its surroundings are today's.
        keys: names of the fields that say what was measured.
        again: forget records of other surroundings, and measure what the file has once more.

    Raises:
        UserError: the file is of another machine, of other versions, or of another benchmark.
    """

    def __init__(self, path: str, keys: Sequence[str], again: bool = False):
        self._path, self._keys = Path(path), tuple(keys)
        self.surroundings = surroundings()
        self._records, self._new = {}, set()
        self._again = again
        if self._path.exists():
            self._read()

    def get(self, **key) -> dict | None:
        """The record, unless it is still to be measured; one in which an engine failed is."""
        key = tuple(key[name] for name in self._keys)
        record = self._records.get(key, {})
        forgotten = self._again and key not in self._new
        return None if forgotten or not record or record.get("failed") else record

    def add(self, record: dict) -> None:
        """Keeps a record, in memory and on disk."""
        key = self._key(record)
        self._records[key] = record
        self._new.add(key)
        whole = {
            "keys": self._keys,
            "surroundings": self.surroundings,
            "records": list(self._records.values()),
        }
        with whole_file(self._path) as partial:
            partial.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")

    def _read(self) -> None:
        try:
            whole = json.loads(self._path.read_text(encoding="utf-8"))
            keys, former = tuple(whole["keys"]), whole["surroundings"]
            records = {tuple(record[key] for key in keys): record for record in whole["records"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self._path} is not a file of results. Name another") from error
        if keys != self._keys:
            raise UserError(f"{self._path} has the results of another benchmark. Name another file")
        other = [name for name, fact in self.surroundings.items() if former.get(name) != fact]
        if not other:
            self._records = records
        elif not self._again:
            raise UserError(
                f"{self._path} was measured with other {', '.join(other)}. "
                "Name another --output, or replace its figures with --again"
            )

    def _key(self, record: dict) -> tuple:
        return tuple(record[name] for name in self._keys)


def add_output_options(parser, output: str) -> None:
    """The options of every benchmark that keeps `Results`."""
    parser.add_argument(
        "--output",
        metavar="FILE",
        default=output,
        help="JSON with all rounds; what it has is not measured again (default: %(default)s)",
    )
    parser.add_argument("--again", action="store_true", help="measure what the file has once more")
    parser.add_argument(
        "--markdown", action="store_true", help="print the table of docs/results, and only that"
    )


def begin(options, keys: Sequence[str], *remarks: str):
    """Returns the results so far, and the stream for what is not the pages' table, begun with the
    machine and the remarks.

    Args:
        options: with `add_output_options`.
        keys: of `Results`.
        remarks: lines on the conditions.
    """
    results = Results(options.output, keys, options.again)
    stream = sys.stderr if options.markdown else sys.stdout
    print(conditions(results.surroundings), *remarks, "", sep="\n", file=stream)
    return results, stream


def count(text: str) -> int:
    """Returns the type of options that are whole numbers of at least 1."""
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


def run(main: Callable[[], None]) -> None:
    """Calls a benchmark; a user's mistake is one line and status 2."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        sys.exit(130)


def conditions(facts: dict) -> str:
    """Returns the machine and the versions in one line."""
    versions = facts["versions"]
    torch = f"PyTorch {versions['torch']}" if versions["torch"] else "PyTorch not installed"
    return (
        f"{facts['processor']}, {facts['cores']} cores, float32, TensorFlow "
        f"{versions['tensorflow']} (threads: default), Keras {versions['keras']}, {torch} "
        f"({facts['threads']['torch']} threads)"
    )


def line(values: Iterable[object], widths: Sequence[int]) -> str:
    """One line of a table: the first column to the left, the others to the right."""
    return "  ".join(
        f"{value!s:{'>' if i else '<'}{width}}"
        for i, (value, width) in enumerate(zip(values, widths, strict=True))
    ).rstrip()


def markdown(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table in Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(map(str, values))} |" for values in lines)


def plain(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Returns a table for the terminal."""
    columns = zip(titles, *rows, strict=True)
    widths = [max(len(str(value)) for value in column) for column in columns]
    return "\n".join(line(values, widths) for values in [titles, *rows])


def geometric_mean(values: Sequence[float]) -> float:
    """Returns the mean for ratios: that of 2 and 1/2 is 1."""
    return math.exp(statistics.fmean(math.log(value) for value in values))


def power_law(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """`(exponent, factor)` of `factor * x ** exponent`, by least squares of the logarithms."""
    exponent, logarithm = statistics.linear_regression(
        [math.log(x) for x in xs], [math.log(y) for y in ys]
    )
    return exponent, math.exp(logarithm)
