"""Processes that do jobs one at a time, told over their standard input in JSON lines.

TensorFlow and PyTorch in one process fight over the cores (PyTorch becomes ten times slower), so
each engine lives in a process of its own. A worker that waits for a job blocks on reading a line
and takes no processor time. OMP_WAIT_POLICY=PASSIVE would make sure of that and is not set: it
makes PyTorch two to four times slower. Its price is that PyTorch's threads, which spin while they
wait for each other, become up to a hundred times slower when anything else runs on their cores:
rounds in which something did are taken again. The same happens when the system puts two of them on
one core, which it does for seconds on end with the other core idle: they are bound, one to a core
(OMP_PROC_BIND). Where nothing disturbs them, that makes no difference.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from data.errors import choose

CORES = len(os.sched_getaffinity(0))
# The command of each engine's worker, after the interpreter.
ENGINES = {
    "suite": ("keras_engine.py", "suite"),
    "bfloat16": ("keras_engine.py", "bfloat16"),
    "compiled": ("keras_engine.py", "suite"),
    "keras": ("keras_engine.py", "keras"),
    "torch": ("torch_engine.py", str(CORES)),
    "torch_fused": ("torch_engine.py", str(CORES), "fused"),
    "torch_bfloat16": ("torch_engine.py", str(CORES), "fused", "bfloat16"),
    "generation": ("generation_engine.py",),
    "generation_torch": ("torch_generation_engine.py",),
}
# Those that train layers.
TITLES = {
    "suite": "suite",
    "bfloat16": "bfloat16",
    "compiled": "compiled loop",
    "keras": "Keras",
    "torch": "PyTorch",
    "torch_fused": "PyTorch, fused Adam",
    "torch_bfloat16": "PyTorch, bfloat16",
}
# A round is quiet if all other processes together used at most so much of one core meanwhile; the
# kernel counts in hundredths of a second, so that a round of 0.1 s is not told more exactly.
QUIET = 0.25
# Rounds are taken again at most until there are so many times as many as asked for.
_PATIENCE = 3
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_ENVIRONMENT = {
    # These are figures of processors, also where there is a GPU.
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# The suite without its native operator.
_COMPILED_ENVIRONMENT = {"RECURRENT_TEXT_SUITE_NATIVE": "0"}
# Not for TensorFlow: its threads would inherit the one core of the thread that starts them.
_TORCH_ENVIRONMENT = {"OMP_PROC_BIND": "true"}


class WorkerError(Exception):
    """A job that failed, or a worker that died of it; the next job starts a new worker."""


def installed(engine: str) -> bool:
    """Returns whether the engine can run here; PyTorch is an extra."""
    return "torch" not in engine or importlib.util.find_spec("torch") is not None


class Worker:
    """A worker process as its parent sees it; started by its first job.

    Args:
        engine: a name in `ENGINES`.
    """

    def __init__(self, engine: str):
        self._command = [sys.executable, *choose("engine", engine, ENGINES)]
        self._environment = dict(_ENVIRONMENT)
        if "torch" in engine:
            self._environment |= _TORCH_ENVIRONMENT
        elif engine == "compiled":
            self._environment |= _COMPILED_ENVIRONMENT
        self._process = None

    def send(self, job: str, **arguments) -> None:
        """Starts a job and returns at once."""
        if self._process is None:
            self._start()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([job, arguments]) + "\n")
            self._process.stdin.flush()

    def receive(self):
        """Waits for the job's answer.

        Raises:
            WorkerError: the job failed.
        """
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(self._obituary())
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["value"]

    def ask(self, job: str, **arguments):
        """`send`, then `receive`."""
        self.send(job, **arguments)
        return self.receive()

    def watched(self, job: str, **arguments) -> tuple[float, float]:
        """`ask`, and how many cores all other processes used meanwhile, on average."""
        started, all_before, own_before = time.monotonic(), _busy_seconds(), self._own_seconds()
        value = self.ask(job, **arguments)
        others = _busy_seconds() - all_before - (self._own_seconds() - own_before)
        return value, max(0.0, round(others / (time.monotonic() - started), 2))

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._errors.close()
            self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _own_seconds(self) -> float:
        if self._process is None:
            return 0.0
        # After the name, which may hold spaces: fields 14 and 15 of proc(5), user and system time.
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK

    def _start(self) -> None:
        folder = Path(__file__).parent
        # The engine imports its neighbours as `harness`.
        path = os.pathsep.join([str(folder.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        # Read when the worker dies, closed with it.
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [self._command[0], str(folder / self._command[1]), *self._command[2:]],
            env={**os.environ, **self._environment, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def _obituary(self) -> str:
        status = self._process.wait()
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or ["no message"])[-1]
        self.close()
        return f"the worker ended with status {status}: {last}"


def _busy_seconds() -> float:
    """Processor time that all processes and the host of a virtual machine have used since boot."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = map(int, fields[:8])
    return (user + nice + system + interrupts + soft_interrupts + stolen) * _TICK


class Taken(NamedTuple):
    """What the workers did in turn.

    Args:
        rounds: `{"suite": {"values": [...], "others": [...]}}`, `others` being the cores that
            other processes used meanwhile.
        failures: `{"torch": "why"}`.
    """

    rounds: dict[str, dict]
    failures: dict[str, str]


def noisy(rounds: dict | None) -> bool:
    """Returns whether other processes were busy in some of the rounds."""
    return rounds is not None and max(rounds["others"]) > QUIET


def take_turns(workers: dict[str, Worker], rounds: int, job: str, **arguments) -> Taken:
    """Gives each worker the same job in turn, so that a noisy moment meets all of them.

    Args:
        workers: by a name for each.
        rounds: how many quiet rounds of each; after three times as many, noisy ones serve.
        job: what to do, a round of it.
        **arguments: of the job.
    """
    taken, failures = {name: [] for name in workers}, {}
    for _ in range(_PATIENCE * rounds):
        for name, worker in workers.items():
            quiet = sum(others <= QUIET for _, others in taken[name])
            if name not in failures and quiet < rounds:
                try:
                    taken[name].append(worker.watched(job, **arguments))
                except WorkerError as error:
                    failures[name] = str(error)
    kept = {}
    for name in taken.keys() - failures.keys():
        # The quietest, in order of time.
        best = sorted(taken[name], key=lambda value: max(QUIET, value[1]))[:rounds]
        kept[name] = {"values": [v for v, _ in best], "others": [others for _, others in best]}
    return Taken(kept, failures)


def release(workers: dict[str, Worker], failed) -> None:
    """Frees the memory of all; a worker whose job failed, in an unknown state, is ended."""
    for name, worker in workers.items():
        try:
            if name not in failed:
                worker.ask("release")
        except WorkerError:
            failed = {*failed, name}
        if name in failed:
            worker.close()


def serve(jobs: dict[str, Callable]) -> None:
    """The worker's side: answers jobs until standard input ends.

    Args:
        jobs: what each job's name calls with the job's arguments; returns what JSON can hold.
    """
    # What a library prints must not stand among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        job, arguments = json.loads(line)
        try:
            answer = {"value": choose("job", job, jobs)(**arguments)}
        except Exception as error:
            answer = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:500]}
        print(json.dumps(answer), file=answers, flush=True)
