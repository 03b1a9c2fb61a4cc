"""What several test files share: a tiny trained run, the command line, and fresh processes."""

import contextlib
import fcntl
import functools
import gc
import io
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from data import registry
from data.messages import show_messages

sys.path.append(os.path.dirname(__file__))
from loaded import attributed_once, loaded_once  # it lies beside this file

# The same examples in every run, however slow the machine is.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
# Seconds after which a child process hangs.
CHILD_LIMIT = 300
# A worker and its children compute on one core. Several would share work of milliseconds, and the
# suite cuts batches into as many parts as there are cores, each with graphs of its own.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, [cores[int(worker.removeprefix("gw")) % len(cores)]])
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Models this small are compiled for longer than they run.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1 "
    "--xla_cpu_use_fusion_emitters=false",
)

# The suite trains on `sample` by the dozen: here it means smaller files than those that ship. Other
# modules look the folder up, or import its name after this.
SHIPPED_SAMPLES, registry.SAMPLES = registry.SAMPLES, Path(__file__).parent / "samples"
ON_SMALL_SAMPLES = f"""
from pathlib import Path
from data import registry
from data.messages import show_messages
registry.SAMPLES = Path({str(registry.SAMPLES)!r})
"""

# One length of texts: little to compile.
TINY = [
    *["--epochs", "2", "--units", "3", "--embedding-dim", "4", "--max-tokens", "100"],
    *["--max-length", "12", "--no-linear"],
]
TRAIN_TINY = ["train", *TINY, "--max-word-length", "6", "--deterministic"]


def pytest_configure(config):
    # What is imported while tests are collected stays.
    gc.disable()
    # A shell that starts the tests in the background has them ignored; some tests send them.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.addinivalue_line("markers", "drawn: pictures are rendered, not left blank")
    # NumPy 2 says so whenever a Keras variable becomes an array.
    config.addinivalue_line("filterwarnings", "ignore:__array__ implementation:DeprecationWarning")


# Folders of which one file takes a worker minutes. Workers end together if they begin with these.
_LONG = ("notebooks", "apps", "runs", "models", "benchmarks")


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        here = Path(__file__).parent
        folders = {name: place for place, name in enumerate(_LONG)}
        items.sort(key=lambda item: folders.get(item.path.relative_to(here).parts[0], len(_LONG)))


def pytest_collection_finish():
    gc.freeze()
    # A graph under construction is thousands of objects that stay.
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    if tensorflow := sys.modules.get("tensorflow"):
        # To optimise graphs takes longer than to run them, at these sizes.
        options = {"disable_meta_optimizer": True}
        tensorflow.config.optimizer.set_experimental_options(options)


class Answer(NamedTuple):
    """What a command left behind: its exit status and its two streams."""

    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def shown_messages():
    """Messages are shown as the command line shows them: tests read them by `capsys`."""
    with show_messages():
        yield


@pytest.fixture(scope="session")
def on_small_samples():
    """Code with which an interpreter begins that shall read the suite's samples, too."""
    return ON_SMALL_SAMPLES


@pytest.fixture
def shipped_samples(monkeypatch):
    """The folder of the samples that ship; while it is in use, `sample` means them."""
    monkeypatch.setattr(registry, "SAMPLES", SHIPPED_SAMPLES)
    return SHIPPED_SAMPLES


@pytest.fixture(scope="session")
def python_process():
    """Runs code in a new interpreter and returns the finished process."""

    def run(code, *arguments, cwd=None, stdin=None):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(
            command, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=CHILD_LIMIT
        )

    return run


# Importing TensorFlow takes longer than what most children do with it. Before the fork nothing of
# it runs, and nothing of the suite is imported.
FORKS = """
import json, os, signal, sys, traceback
import tensorflow, keras
# As in the tests, whose answers some children repeat.
tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
answers = os.fdopen(os.dup(1), "w")

def run(code, arguments, cwd, streams, limit):
    signal.alarm(limit)
    os.chdir(cwd)
    for number, path in zip((0, 1, 2), (os.devnull, *streams)):
        os.dup2(os.open(path, os.O_RDWR), number)
    sys.argv = ["-c", *arguments]
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for line in sys.stdin:
    process = os.fork()
    if not process:
        status = 1
        try:
            status = run(**json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), file=answers, flush=True)
"""


@pytest.fixture(scope="session")
def tensorflow_process(tmp_path_factory):
    """Runs code in an interpreter that has imported TensorFlow and nothing of the suite, and
    returns the finished process."""
    folder = tmp_path_factory.mktemp("tensorflow_process")
    streams = [folder / "out", folder / "err"]
    server = subprocess.Popen(
        [sys.executable, "-c", FORKS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def run(code, *arguments, cwd="."):
        for path in streams:
            path.write_bytes(b"")
        request = {"code": code, "arguments": [*map(str, arguments)], "cwd": os.path.abspath(cwd)}
        request |= {"streams": [*map(str, streams)], "limit": CHILD_LIMIT}
        print(json.dumps(request), file=server.stdin, flush=True)
        status = int(server.stdout.readline())
        out, err = (path.read_text(encoding="utf-8") for path in streams)
        return subprocess.CompletedProcess(code, status, out, err)

    yield run
    server.stdin.close()
    server.wait(CHILD_LIMIT)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id):
    """Calls a function with a folder that all workers share, unless one of them has done so;
    returns the folder."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent

    def make(name, fill):
        folder, done = base / name, base / f"{name}.done"
        # The lock is free again when its process ends, however that is.
        with open(base / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def trained_once(made_once):
    """The run folder of one tiny training on the sample, and the command's answer; read only."""
    from apps.commands.main import main
    from apps.hate_speech import APPLICATION

    def train(folder):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(APPLICATION, [*TRAIN_TINY, "--run", str(folder / "run")])
        streams = out.getvalue(), err.getvalue()
        folder.with_suffix(".json").write_text(json.dumps(streams))

    folder = made_once("trained_once", train)
    return folder / "run", Answer(0, *json.loads(folder.with_suffix(".json").read_text()))


@pytest.fixture
def tiny_run(trained_once, tmp_path):
    """A copy of the tiny run that a test may change."""
    return shutil.copytree(trained_once[0], tmp_path / "run")


@pytest.fixture(scope="session")
def without_checksums():
    """Makes a run one of those that were written before `config.json` had checksums."""

    def older(run):
        path = run / "config.json"
        description = json.loads(path.read_text(encoding="utf-8"))
        del description["files"], description["fingerprint"]
        path.write_text(json.dumps(description), encoding="utf-8")
        return run

    return older


@pytest.fixture(scope="session")
def tiny_options():
    """Options of `train` for a model that is small and soon trained."""
    return TINY


@pytest.fixture(scope="session")
def loads_once():
    """A context in which the same files are loaded once: see `tests/loaded.py`."""
    return loaded_once


@pytest.fixture(scope="session")
def attributes_once():
    """A context in which the graph that explains a loaded model is traced once."""
    return attributed_once


@pytest.fixture
def command_of(capsys):
    """Calls the command line of an application and returns its answer."""
    from apps.commands.main import main

    def call(application, *arguments):
        capsys.readouterr()
        status = 0
        answers = str(arguments[0]) in ("evaluate", "predict") if arguments else False
        try:
            with loaded_once() if answers else contextlib.nullcontext():
                main(application, [str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        return Answer(status, *capsys.readouterr())

    return call


@pytest.fixture
def command(command_of):
    """Calls the hate-speech command line and returns its answer."""
    from apps.hate_speech import APPLICATION

    return functools.partial(command_of, APPLICATION)


# Events of `sys.audit` before which a process can end and leave something half done.
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.chown"}


def _break_off(number, error, function, arguments):
    changes = itertools.count()

    def count(event, arguments):
        writes = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in CHANGES) and next(changes) == number:
            if error is None:
                os._exit(3)
            raise error

    sys.addaudithook(count)
    status = 1
    try:
        function(*arguments)
        status = 0
    except BaseException as raised:
        status = 3 if error is not None and isinstance(raised, error) else 1
    finally:
        os._exit(status)


@pytest.fixture(scope="module")
def break_off(request):
    """Calls a function of the test's module in a process that breaks off before the nth change of
    files, counted from 0; returns whether there was one. It ends as by `kill -9`, or raises an
    exception there, which then runs through the function."""
    # To fork this process, with all of TensorFlow in it, takes longer than what the fork does.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__, request.module.__name__])

    def before(number, function, *arguments, error=None):
        arguments = (number, error, function, arguments)
        process = processes.Process(target=_break_off, args=arguments)
        process.start()
        process.join(60)
        assert process.exitcode in (0, 3), f"the process ended with {process.exitcode}"
        return process.exitcode == 3

    return before


@pytest.fixture
def compiled_steps():
    """Undoes what a deterministic training in this process leaves: with it Keras compiles no step
    as a whole, and says so in a warning alone."""
    from tensorflow.python.framework.config import disable_op_determinism

    disable_op_determinism()
