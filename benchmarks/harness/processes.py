"""Processes of this machine: by their titles, those that a process has started, those that do not
end, and the addresses on which they listen."""

import os
import socket
import struct
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

# What Ray ends with its cluster, it ends within this time.
_PATIENCE_SECONDS = 60.0


def find_processes(title: bytes) -> list[int]:
    """Returns the processes whose title begins with a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(title):
                found.append(int(path.parent.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def left_over(processes: Collection[int]) -> list[int]:
    """Returns those of the processes that do not end by themselves."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while (left := [each for each in processes if _is_there(each)]) and time.monotonic() < until:
        time.sleep(0.5)
    return sorted(left)


def _is_there(process: int) -> bool:
    """Whether a process is at work; one that nobody waits for yet is a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def descendants(process: int) -> set[int]:
    """Returns the processes that a process has started, and those that these have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = {process}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


def listening_addresses(processes: Collection[int]) -> set[str]:
    """Returns the addresses, without ports, on which processes listen by TCP."""
    inodes = set()
    for process in processes:
        for path in Path(f"/proc/{process}/fd").glob("*"):
            with suppress(OSError):
                inodes.add(os.readlink(path))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                words = fields[1].partition(":")[0]
                # Each four bytes are a number of this machine's order.
                numbers = [int(words[i : i + 8], 16) for i in range(0, len(words), 8)]
                family = socket.AF_INET if len(numbers) == 1 else socket.AF_INET6
                packed = struct.pack(f"={len(numbers)}I", *numbers)
                found.add(socket.inet_ntop(family, packed).removeprefix("::ffff:"))
    return found
