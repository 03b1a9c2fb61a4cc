"""One of several processes that sum arrays in a ring, step by step; `benchmarks/scaling.py` starts
them. With a pause for the computation of a step it shows how long a step of N machines takes."""

import argparse
import json
import socket
import threading
import time

import numpy as np

_PORT = 7077
_PATIENCE_SECONDS = 60.0


def connect(rank: int, addresses: list[str]) -> tuple[socket.socket, socket.socket]:
    """Returns the connections to the next process and from the one before."""
    listener = socket.create_server((addresses[rank], _PORT))
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            after = socket.create_connection((addresses[(rank + 1) % len(addresses)], _PORT), 5)
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    before, _ = listener.accept()
    for each in (before, after):
        each.settimeout(_PATIENCE_SECONDS)
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return before, after


def exchange(before: socket.socket, after: socket.socket, part: np.ndarray) -> np.ndarray:
    """Sends an array to the next process; returns one of the same size from the one before."""
    sender = threading.Thread(target=after.sendall, args=(part.tobytes(),))
    sender.start()
    received = bytearray(part.nbytes)
    view = memoryview(received)
    while view:
        view = view[before.recv_into(view) :]
    sender.join()
    return np.frombuffer(received, part.dtype)


def sum_in_ring(
    rank: int, size: int, before: socket.socket, after: socket.socket, values: np.ndarray
) -> np.ndarray:
    """Returns the sum of the arrays of all processes.

    Each part goes round twice (Patarasuk & Yuan 2009): a process sends `2 (N - 1) / N` of an array.
    """
    parts = np.array_split(values.copy(), size)
    for step in range(size - 1):
        place = (rank - step - 1) % size
        parts[place] = parts[place] + exchange_sized(before, after, parts, rank - step, place)
    for step in range(size - 1):
        place = (rank - step) % size
        parts[place] = exchange_sized(before, after, parts, rank - step + 1, place)
    return np.concatenate(parts)


def exchange_sized(
    before: socket.socket, after: socket.socket, parts: list[np.ndarray], sent: int, place: int
) -> np.ndarray:
    """Exchanges parts that differ by an element at most: the shorter ones are filled up."""
    longest = max(map(len, parts))
    part = np.zeros(longest, parts[0].dtype)
    part[: len(parts[sent % len(parts)])] = parts[sent % len(parts)]
    return exchange(before, after, part)[: len(parts[place])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--addresses", nargs="+", required=True)
    parser.add_argument("--weights", type=int, required=True, help="float32 numbers in an array")
    parser.add_argument("--seconds", type=float, required=True, help="computation of a step")
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    size = len(options.addresses)
    before, after = connect(options.rank, options.addresses)
    values = np.full(options.weights, options.rank + 1, np.float32)
    sum_in_ring(options.rank, size, before, after, values[:size])  # all are there
    begun = time.monotonic()
    for _ in range(options.steps):
        time.sleep(options.seconds)
        total = sum_in_ring(options.rank, size, before, after, values)
    seconds = (time.monotonic() - begun) / options.steps
    assert (total == size * (size + 1) / 2).all()
    print(json.dumps({"step_seconds": round(seconds, 4)}))


if __name__ == "__main__":
    main()
