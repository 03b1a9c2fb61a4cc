"""A network of this machine alone, for root on Linux: hosts with links of a given speed."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self


class Hosts:
    """Network namespaces that stand for machines on one switch:

    with Hosts(2, megabits=100) as hosts:
        subprocess.run(hosts.command(0, ["ping", "-c", "1", hosts.addresses[1]]))

    They share files and processors.

    Args:
        count: how many.
        megabits: a second, that each may send; 0 for no limit.
    """

    def __init__(self, count: int, megabits: float = 0.0) -> None:
        self._prefix, self._megabits = f"suite{os.getpid()}", megabits
        self._names = [f"{self._prefix}h{number}" for number in range(count)]
        self.addresses = [f"10.77.0.{number + 1}" for number in range(count)]
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            switch = f"{self._prefix}s"
            self._add(stack, switch)
            _run("ip", "-n", switch, "link", "add", "switch", "type", "bridge")
            _run("ip", "-n", switch, "link", "set", "switch", "up")
            for number, (name, address) in enumerate(zip(self._names, self.addresses, strict=True)):
                self._add(stack, name)
                port = f"port{number}"
                peer = ["peer", "name", port, "netns", switch]
                _run("ip", "-n", name, "link", "add", "eth0", "type", "veth", *peer)
                _run("ip", "-n", switch, "link", "set", port, "master", "switch", "up")
                _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
                _run("ip", "-n", name, "link", "set", "lo", "up")
                _run("ip", "-n", name, "link", "set", "eth0", "up")
                # Programs learn their address from the route to anywhere.
                _run("ip", "-n", name, "route", "add", "default", "dev", "eth0")
                if self._megabits:
                    rate = ["rate", f"{self._megabits}mbit", "burst", "32kb", "latency", "400ms"]
                    _run("tc", "-n", name, "qdisc", "add", "dev", "eth0", "root", "tbf", *rate)
            self._open = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def command(self, host: int, command: Sequence[str]) -> list[str]:
        """Returns what runs a command on one of the hosts."""
        return ["ip", "netns", "exec", self._names[host], *command]

    def _add(self, stack: ExitStack, name: str) -> None:
        _run("ip", "netns", "add", name)
        stack.callback(_run, "ip", "netns", "delete", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=60)
