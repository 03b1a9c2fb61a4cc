"""Asks a server over loopback: requests a second, latencies, and whether any request is lost.

    python benchmarks/server.py runs/davidson
    python benchmarks/server.py runs/davidson --engine onnx --seconds 60 --connections 64

A server process is started for each way of answering, with batches and without (`--batch-size 1`).
Clients on 1, 8 and 64 connections, all in this process, send a request after the other's answer,
each with one of the texts of the shipped sample. Then, with 16 connections: a new version of the
run takes the place of the old one, twice; and the server gets SIGTERM. Requests have identities,
which the server's log repeats: one that it has accepted and that has no answer is lost.

The processor time is that of the server per request. Client and server share the machine.
"""

import argparse
import asyncio
import contextlib
import csv
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from data import registry

ROOT = Path(__file__).parents[1]
_TITLES = "connections", "requests/s", "p50 ms", "p99 ms", "CPU ms/request", "lost"
_READY, _DRAIN = 180, 60


@dataclass
class Tally:
    """What clients have seen.

    Attributes:
        seconds: from each request to its answer.
        answered: identities of answered requests.
        statuses: how many answers had a status but 200.
        broken: identities of requests whose connections ended before an answer.
    """

    seconds: list[float] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    statuses: dict[int, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def quantile(self, share: float) -> float:
        """Returns milliseconds within which a share of the requests was answered."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Client:
    """Connections that ask one request after the other, until they are told to stop.

    Args:
        port: of the server on this machine.
        bodies: of the requests, in turn.
    """

    def __init__(self, port: int, bodies: list[bytes]) -> None:
        self._port, self._bodies = port, itertools.cycle(bodies)
        self._numbers = itertools.count()
        self.stopped = False

    async def load(self, connections: int, seconds: float) -> Tally:
        """Asks for some seconds; returns what was seen."""
        tally, self.stopped = Tally(), False
        asking = [asyncio.create_task(self.ask(tally)) for _ in range(connections)]
        await asyncio.sleep(seconds)
        self.stopped = True
        await asyncio.gather(*asking)
        return tally

    async def ask(self, tally: Tally) -> None:
        """Asks on one connection until all are told to stop, or it ends."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return
        with contextlib.closing(writer):
            while not self.stopped:
                identity = f"{os.getpid()}-{next(self._numbers)}"
                begin = time.perf_counter()
                try:
                    writer.write(_request(identity, next(self._bodies)))
                    await writer.drain()
                    status, last = await _read_answer(reader)
                except (OSError, asyncio.IncompleteReadError):
                    tally.broken.add(identity)
                    return
                tally.seconds.append(time.perf_counter() - begin)
                tally.answered.add(identity)
                if status != 200:
                    tally.statuses[status] = tally.statuses.get(status, 0) + 1
                if last:
                    return


def _request(identity: str, body: bytes) -> bytes:
    return (
        b"POST /api/model HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"X-Request-Id: %s\r\nContent-Length: %d\r\n\r\n%s" % (identity.encode(), len(body), body)
    )


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Reads an answer; returns its status, and whether it is the connection's last."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    await reader.readexactly(size)
    return int(head.split(b" ")[1]), b"connection: close" in head


class Server:
    """A server process.

    Args:
        run: the folder of the model.
        log: a file for what it writes.
        options: of `serve`.
    """

    def __init__(self, run: Path, log: Path, *options: str) -> None:
        self._log = log
        command = [sys.executable, "-m", "apps.serve", f"model={run}", "--port", "0", *options]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=log.open("w"), stderr=subprocess.STDOUT
        )
        self.port, self.seconds = 0, 0.0

    def wait(self) -> None:
        """Waits until the model is loaded."""
        begin = time.monotonic()
        while "all models are ready" not in self._log.read_text():
            if self._process.poll() is not None or time.monotonic() - begin > _READY:
                sys.exit(f"error: the server does not start: {self._log.read_text()[-500:]}")
            time.sleep(0.02)
        self.seconds = time.monotonic() - begin
        self.port = int(self._log.read_text().partition("127.0.0.1:")[2].split()[0])

    def cpu(self) -> float:
        """Returns the processor time so far, in seconds."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    @property
    def pid(self) -> int:
        """The identity of the process."""
        return self._process.pid

    def memory(self) -> float:
        """Returns its own memory in MiB."""
        return psutil.Process(self._process.pid).memory_full_info().uss / 2**20

    def terminate(self) -> None:
        """Sends SIGTERM."""
        self._process.terminate()

    def end(self) -> int:
        """Waits for the end; returns the exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            return self._process.wait(_DRAIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def accepted(self) -> set[str]:
        """Returns the identities of the requests that its log has."""
        return {each["id"] for each in self._lines() if "status" in each}

    def versions(self) -> int:
        """Returns how many versions it has loaded."""
        return self._log.read_text().count("model: version")

    def _lines(self) -> Iterator[dict]:
        for line in self._log.read_text().splitlines():
            if line.startswith("{"):
                yield json.loads(line)


@contextlib.contextmanager
def serving(run: Path, log: Path, *options: str) -> Iterator[Server]:
    server = Server(run, log, *options)
    try:
        server.wait()
        yield server
    finally:
        server.end()


def lost(server: Server, tally: Tally) -> int:
    """Returns how many requests the server has accepted and not answered."""
    return len((server.accepted() & tally.broken) - tally.answered)


def measure(server: Server, bodies: list[bytes], connections: int, seconds: float) -> dict:
    """Asks for some seconds, after a moment that does not count."""
    client = Client(server.port, bodies)
    asyncio.run(client.load(connections, min(1.0, seconds)))
    before, begin = server.cpu(), time.perf_counter()
    tally = asyncio.run(client.load(connections, seconds))
    spent = time.perf_counter() - begin
    count = len(tally.answered)
    return {
        "connections": connections,
        "requests/s": round(count / spent, 1),
        "p50 ms": round(tally.quantile(0.5), 1),
        "p99 ms": round(tally.quantile(0.99), 1),
        "CPU ms/request": round(1000 * (server.cpu() - before) / count, 2),
        "lost": len(tally.broken) + sum(tally.statuses.values()),
        "requests": count,
        "MiB": round(server.memory()),
    }


def replace(run: Path) -> None:
    """Puts a copy of a run in its place, as a training does."""
    copy, former = run.with_name("copy"), run.with_name("former")
    shutil.copytree(run, copy)
    run.rename(former)
    copy.rename(run)
    shutil.rmtree(former)


def stress(run: Path, log: Path, bodies: list[bytes], *options: str) -> dict:
    """Replaces the run under load, then terminates the server under load."""
    with serving(run, log, "--poll", "0.5", *options) as server:
        client = Client(server.port, bodies)

        async def reloading() -> Tally:
            asking = asyncio.create_task(_until_stopped(client, 16))
            for loaded in (2, 3):
                await asyncio.to_thread(replace, run)
                begin = time.monotonic()
                while server.versions() < loaded and time.monotonic() - begin < _READY:
                    await asyncio.sleep(0.1)
            client.stopped = True
            return await asking

        seen = asyncio.run(reloading())

        async def terminating() -> Tally:
            asking = asyncio.create_task(_until_stopped(client, 16))
            await asyncio.sleep(1.0)
            server.terminate()
            return await asking

        ended = asyncio.run(terminating())
        status = server.end()
        return {
            "versions": server.versions(),
            "reload: requests": len(seen.answered),
            "reload: failed": len(seen.broken) + sum(seen.statuses.values()),
            "SIGTERM: answered": len(ended.answered),
            "SIGTERM: lost": lost(server, ended) + sum(ended.statuses.values()),
            "SIGTERM: never accepted": len(ended.broken) - lost(server, ended),
            "exit status": status,
        }


async def _until_stopped(client: Client, connections: int) -> Tally:
    tally, client.stopped = Tally(), False
    await asyncio.gather(*(client.ask(tally) for _ in range(connections)))
    return tally


def read_bodies() -> list[bytes]:
    """Returns a request for each text of the sample."""
    with (registry.SAMPLES / "hate_speech.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return [json.dumps({"texts": [text]}).encode() for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run folder")
    parser.add_argument("--engine", nargs="+", default=["onnx"], choices=["onnx", "tensorflow"])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--output", type=Path, help="file for the figures as JSON")
    options = parser.parse_args()
    bodies, found = read_bodies(), []
    with tempfile.TemporaryDirectory() as name:
        run, log = Path(name, "run"), Path(name, "log")
        shutil.copytree(options.run, run)
        for engine in options.engine:
            for title, more in (("batches", []), ("one by one", ["--batch-size", "1"])):
                with serving(run, log, "--engine", engine, "--poll", "0", *more) as server:
                    print(f"\n{engine}, {title}: ready after {server.seconds:.1f} s\n")
                    print(f"| {' | '.join(_TITLES)} |\n|{'---:|' * len(_TITLES)}")
                    for connections in options.connections:
                        row = measure(server, bodies, connections, options.seconds)
                        print("|", " | ".join(str(row[each]) for each in _TITLES), "|", flush=True)
                        found.append({"engine": engine, "way": title, **row})
                    print(f"\n{row['MiB']} MiB")
            found.append({"engine": engine, **stress(run, log, bodies, "--engine", engine)})
            print(f"\n{engine}, 16 connections: {json.dumps(found[-1])}")
    if options.output:
        options.output.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
