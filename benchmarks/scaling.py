"""What several machines gain in the training of a model: the arithmetic, and a simulation of it.

    python benchmarks/scaling.py --application sentiment --run runs/sst2 --step-seconds 0.35
    python benchmarks/scaling.py --weights 735667 --step-seconds 0.5 --simulate 2 4

Prints the bytes of gradients of a step, the embeddings' apart from the others'; the speed-up at 2,
4, 8 and 64 machines by network; and the batch from which on half of it is left. `--simulate` runs
that many processes in network namespaces (as root) whose links send no faster than `--megabits`:
they sum arrays of that size in a ring of sockets, with a pause for the computation, so that busy
processors of this machine do not matter; printed beside what the arithmetic says.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from harness.network import Hosts

RING = Path(__file__).parent / "harness" / "ring.py"
NETWORKS = (100.0, 1000.0, 10_000.0)
MACHINES = (2, 4, 8, 64)
FLOAT_BYTES = 4
PATIENCE_SECONDS = 600


def exchange_seconds(weights: int, machines: int, megabits: float) -> float:
    """Returns the seconds in which machines sum their gradients in a ring: each sends
    `2 (N - 1) / N` of all bytes."""
    sent = 2 * (machines - 1) / machines * FLOAT_BYTES * weights
    return 8 * sent / (megabits * 1e6)


def speed_up(weights: int, machines: int, megabits: float, step_seconds: float) -> float:
    """Returns how many times faster a step is than on one machine, where it takes so long."""
    alone = step_seconds
    return alone / (alone / machines + exchange_seconds(weights, machines, megabits))


def paying_batch(
    weights: int, machines: int, megabits: float, step_seconds: float, batch: int
) -> int:
    """Returns the examples of the batch with which half of the machines' speed is left.

    That is where the computation of the whole batch on one machine, which grows with the batch,
    takes as long as N exchanges.
    """
    needed = machines * exchange_seconds(weights, machines, megabits)
    return round(batch * needed / step_seconds)


def tabulate(weights: int, step_seconds: float, batch: int) -> list[dict[str, float]]:
    """Returns a row for each number of machines and network."""
    return [
        {
            "machines": machines,
            "megabits": megabits,
            "exchange_seconds": round(exchange_seconds(weights, machines, megabits), 4),
            "speed_up": round(speed_up(weights, machines, megabits, step_seconds), 2),
            "paying_batch": paying_batch(weights, machines, megabits, step_seconds, batch),
        }
        for machines in MACHINES
        for megabits in NETWORKS
    ]


def count_weights(application: str, run: str) -> dict[str, int]:
    """Returns the trained weights of a run: those of embeddings, of whose gradient only the rows of
    the tokens in a batch are not zero, and all others."""
    from apps.commands.application import load_application

    variables = load_application(application).trained(run).model.trainable_variables
    counts = {"embeddings": 0, "others": 0}
    for variable in variables:
        kind = "embeddings" if "embedding" in variable.path.split("/")[-2:][0] else "others"
        counts[kind] += int(variable.value.shape.num_elements())
    return counts


def simulate(machines: int, weights: int, step_seconds: float, megabits: float) -> dict:
    """Returns the seconds of a step of so many processes, and what the arithmetic says."""
    with Hosts(machines, megabits) as hosts:
        common = ["--weights", str(weights), "--seconds", str(step_seconds / machines)]
        common += ["--addresses", *hosts.addresses]
        processes = [
            subprocess.Popen(
                hosts.command(rank, [sys.executable, str(RING), "--rank", str(rank), *common]),
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(machines)
        ]
        try:
            outputs = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in processes]
        finally:
            for process in processes:
                process.kill()
    measured = max(json.loads(output)["step_seconds"] for output in outputs)
    expected = step_seconds / machines + exchange_seconds(weights, machines, megabits)
    return {
        "machines": machines,
        "megabits": megabits,
        "expected_step_seconds": round(expected, 4),
        "measured_step_seconds": measured,
        "expected_speed_up": round(step_seconds / expected, 2),
        "measured_speed_up": round(step_seconds / measured, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--application", help="of --run")
    parser.add_argument("--run", help="run whose weights are counted")
    parser.add_argument("--weights", type=int, help="trained weights, instead of --run")
    parser.add_argument("--step-seconds", type=float, required=True, help="a step on one machine")
    parser.add_argument("--batch", type=int, default=64, help="examples of that step")
    parser.add_argument("--simulate", type=int, nargs="*", default=[], help="processes")
    parser.add_argument("--megabits", type=float, default=100.0, help="a second, of --simulate")
    options = parser.parse_args()
    if options.weights is None:
        counts = count_weights(options.application, options.run)
    else:
        counts = {"all": options.weights}
    weights = sum(counts.values())
    figures = {
        "gradient_bytes": {name: FLOAT_BYTES * count for name, count in counts.items()},
        "arithmetic": tabulate(weights, options.step_seconds, options.batch),
        "simulation": [
            simulate(machines, weights, options.step_seconds, options.megabits)
            for machines in options.simulate
        ],
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
