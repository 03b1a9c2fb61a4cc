"""Compiles the native operator once for a machine and keeps it in a cache folder."""

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

SOURCES = Path(__file__).parent / "sources"
# Tried in this order, after the one that the environment variable CXX names.
COMPILERS = ("g++", "c++", "clang++")
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-pthread")
# A compiler needs ten seconds; more than this is a machine that cannot.
_LIMIT_SECONDS = 300


class NotBuiltError(Exception):
    """There is no native operator; the message says why, in a few words."""


def build(test: Callable[[Path], None]) -> Path:
    """Returns the library of the operator; compiles it where the cache has none.

    The file's name holds a hash of what it depends on: the sources, TensorFlow, the compiler and
    the machine. Processes that need it at the same time wait for one of them. A failure is kept,
    too: the next process does not try again.

    Args:
        test: gets the path of a new library and raises `NotBuiltError` if its results are wrong;
            only then is it given its name.

    Raises:
        NotBuiltError: there is no compiler, it fails, or the folder cannot be written.
    """
    try:
        compiler = find_compiler()
        folder = cache_folder()
        name = f"recurrences-{_hash(compiler)}"
        library, failure = folder / f"{name}.so", folder / f"{name}.failed"
        if library.exists():
            return library
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(folder / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if library.exists():
                return library
            if failure.exists():
                raise NotBuiltError(failure.read_text())
            _build_in(compiler, library, failure, test)
        return library
    except OSError as error:
        raise NotBuiltError(str(error)) from error


def _build_in(
    compiler: list[str], library: Path, failure: Path, test: Callable[[Path], None]
) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as partial:
        new = Path(partial) / library.name
        try:
            compile_sources(compiler, new)
            test(new)
        except NotBuiltError as error:
            failure.write_text(str(error))
            raise
        os.replace(new, library)


def compile_sources(compiler: list[str], library: Path) -> None:
    """Compiles the sources to a library.

    Raises:
        NotBuiltError: the compiler refuses them.
        OSError: it could not run, or was ended.
    """
    sources = sorted(map(str, SOURCES.glob("*.cc")))
    flags = [*FLAGS, f"-I{tf.sysconfig.get_include()}", *tf.sysconfig.get_link_flags()]
    try:
        done = subprocess.run(
            [*compiler, "-o", str(library), *sources, *flags],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{compiler[0]} took more than {_LIMIT_SECONDS} s") from error
    if done.returncode < 0:
        raise OSError(f"{compiler[0]} was ended by signal {-done.returncode}")
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        raise NotBuiltError(f"{compiler[0]} failed: {lines[0].strip()}")


def find_compiler() -> list[str]:
    """Returns the command of a C++ compiler: CXX, or the first of `COMPILERS`.

    Raises:
        NotBuiltError: there is none.
    """
    wanted = shlex.split(os.environ.get("CXX", ""))
    for command in [wanted] if wanted else [[name] for name in COMPILERS]:
        if path := shutil.which(command[0]):
            return [path, *command[1:]]
    raise NotBuiltError(f"no C++ compiler ({' '.join(wanted) or ', '.join(COMPILERS)})")


def cache_folder() -> Path:
    """Returns the folder of compiled operators, below XDG_CACHE_HOME or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "recurrent-text-suite"


def _hash(compiler: list[str]) -> str:
    """Hashes what a library depends on."""
    parts = [tf.__version__, platform.machine(), _processor(), *compiler, *FLAGS]
    program = os.stat(os.path.realpath(compiler[0]))
    parts += [str(program.st_size), str(program.st_mtime_ns)]
    for path in sorted(SOURCES.rglob("*.*")):
        parts += [path.name, path.read_text(encoding="utf-8")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """The instructions that the processor has, where the system lists them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
