"""Whether a server fails at any body, and whether its memory grows with the requests.

    PYTHONPATH=. python benchmarks/server_endurance.py runs/davidson
    PYTHONPATH=. python benchmarks/server_endurance.py runs/davidson --bodies 0 --requests 100000

A server process gets bodies that Schemathesis makes of its OpenAPI description, half of them such
as it allows; then requests on 16 connections, each with one of the texts of the shipped sample. Its
own memory (USS, and RSS with the libraries that it shares) is read after each tenth.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

import psutil
import schemathesis
from harness.fuzzing import fuzz
from server import Client, Server, Tally, read_bodies, serving

_CONNECTIONS, _STEPS = 16, 10


def fuzz_server(port: int, bodies: int) -> None:
    """Sends made bodies, and prints how often each status came and what made the server fail."""
    address = f"http://127.0.0.1:{port}"
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    names = {"name": "model", "version": "1"}
    statuses, failed = fuzz(
        schema, names, bodies, lambda case: case.call(base_url=address, timeout=60).status_code
    )
    found = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    print(f"{sum(statuses.values()):,} bodies, {len(failed)} failures; {found}", flush=True)
    for line in failed[:5]:
        print(f"    {line[:300]}")


def memory(server: Server) -> tuple[float, float]:
    """Returns MiB: what is the process' own, and all that it has in memory."""
    known = psutil.Process(server.pid).memory_full_info()
    return known.uss / 2**20, known.rss / 2**20


async def ask_some(client: Client, requests: int) -> Tally:
    """Sends about so many requests on several connections."""
    tally, client.stopped = Tally(), False
    asking = [asyncio.create_task(client.ask(tally)) for _ in range(_CONNECTIONS)]
    while len(tally.seconds) < requests and not all(task.done() for task in asking):
        await asyncio.sleep(0.05)
    client.stopped = True
    await asyncio.gather(*asking)
    return tally


def endure(server: Server, requests: int) -> None:
    """Prints the memory of a server after each tenth of the requests."""
    client, answered, lost = Client(server.port, read_bodies()), 0, 0
    print("| requests | USS, MiB | RSS, MiB |\n|---:|---:|---:|")
    for step in range(_STEPS + 1):
        own, all_of_it = memory(server)
        print(f"| {answered:,} | {own:.1f} | {all_of_it:.1f} |", flush=True)
        if step < _STEPS:
            tally = asyncio.run(ask_some(client, requests // _STEPS))
            answered += len(tally.answered)
            lost += len(tally.broken) + sum(tally.statuses.values())
    print(f"{lost} without an answer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run folder")
    parser.add_argument("--engine", default="onnx", choices=["onnx", "tensorflow"])
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        log = Path(name, "log")
        with serving(options.run, log, "--engine", options.engine, "--poll", "0") as server:
            if options.bodies:
                fuzz_server(server.port, options.bodies)
            if options.requests:
                endure(server, options.requests)
        if "Traceback" in log.read_text():
            print("a traceback in the log")


if __name__ == "__main__":
    main()
