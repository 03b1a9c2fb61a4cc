"""A training on two hosts, beside one on one.

    python benchmarks/two_hosts.py --folder /tmp/hosts

Makes two hosts of this machine (network namespaces, which takes root), starts a Ray cluster of
them with a processor each, and trains a small classifier of the shipped sample there; and in one
process, if the folder has no such run yet. Prints the greatest differences of histories and
weights, and which hosts have trained; all must be equal as in
`benchmarks/killed_workers.py`.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from harness.network import Hosts
from harness.processes import descendants, find_processes, left_over
from killed_workers import TITLE, compare, equal, train

from apps.cluster.connection import _ENVIRONMENT

PORT = 6379
PATIENCE_SECONDS = 3600
# `ray start`, which waits for its helpers as long as the suite does.
START = """
import sys
import ray
from apps.cluster.connection import _choose_ports
from ray.scripts.scripts import main
_choose_ports(ray)
main()
"""


def start_node(hosts: Hosts, number: int, folder: str) -> subprocess.Popen:
    """Starts Ray on a host: the first one is the head of the cluster."""
    own = ["start", "--block", "--num-cpus", "1", "--node-ip-address", hosts.addresses[number]]
    own += ["--object-store-memory", str(100 * 2**20), "--disable-usage-stats"]
    if number == 0:
        own += ["--head", "--port", str(PORT), "--include-dashboard", "false"]
        own += ["--temp-dir", folder]
    else:
        own += ["--address", f"{hosts.addresses[0]}:{PORT}"]
    log = Path(folder, f"node{number}.log").open("w")  # noqa: SIM115, it is open as long as that
    return subprocess.Popen(
        hosts.command(number, [sys.executable, "-c", START, *own]), stdout=log, stderr=log
    )


def wait_for_nodes(hosts: Hosts, nodes: list[subprocess.Popen], folder: str) -> None:
    """Waits until the cluster has a processor of each node."""
    code = f"import ray; ray.init('{hosts.addresses[0]}:{PORT}', log_to_driver=False)\n"
    code += "print('processors', int(ray.cluster_resources().get('CPU', 0)))"
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        done = subprocess.run(
            hosts.command(0, [sys.executable, "-c", code]),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        if f"processors {len(nodes)}" in done.stdout:
            return
        if any(node.poll() is not None for node in nodes):
            break
        time.sleep(2)
    logs = [path.read_text()[-300:] for path in sorted(Path(folder).glob("node*.log"))]
    raise SystemExit("\n".join(["the cluster does not begin", *logs]))


def networks_of(processes: set[int]) -> set[str]:
    """Returns the networks in which processes are."""
    found = set()
    for process in processes:
        with suppress(OSError):  # it has ended meanwhile
            found.add(os.readlink(f"/proc/{process}/ns/net"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the runs go")
    parser.add_argument("--epochs", type=int, default=3, help="of each training")
    options = parser.parse_args()
    folder, epochs = options.folder.resolve(), ["--epochs", str(options.epochs)]
    os.environ.update(_ENVIRONMENT)
    # All of the cluster know it.
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    # Hosts are taken down in any case.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    if not (folder / "one").exists():
        subprocess.run(train(folder, "one", *epochs), check=True)
    temporary = tempfile.mkdtemp(prefix="ray")
    networks: set[str] = set()
    started: set[int] = set()
    nodes: list[subprocess.Popen] = []
    try:
        with Hosts(2) as hosts:
            try:
                for number in range(2):
                    nodes.append(start_node(hosts, number, temporary))
                    wait_for_nodes(hosts, nodes, temporary)
                cluster = ["--workers", "2", "--cluster", f"{hosts.addresses[0]}:{PORT}"]
                training = subprocess.Popen(
                    hosts.command(0, train(folder, "hosts", *epochs, *cluster))
                )
                while training.poll() is None:
                    time.sleep(0.5)
                    started |= (now := descendants(os.getpid()))
                    networks |= networks_of(now & set(find_processes(TITLE)))
                if training.returncode:
                    raise SystemExit(f"the training ended with {training.returncode}")
            finally:
                for node in nodes[::-1]:
                    node.terminate()
                for node in nodes:
                    node.wait(PATIENCE_SECONDS)
            left = left_over(started)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    figures = {
        "hosts": len(networks),
        "hosts_and_one": compare(folder / "one", folder / "hosts"),
        "processes_left": len(left),
    }
    text = json.dumps(figures, indent=2)
    (folder / "two_hosts.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    if len(networks) != 2 or left or not equal(figures["hosts_and_one"]):
        raise SystemExit("runs differ, a process is left, or one host has trained alone")


if __name__ == "__main__":
    main()
