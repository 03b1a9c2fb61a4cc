"""The group of processes that train one model together, and the place of this process in it."""

import json
import os
from dataclasses import dataclass

import tensorflow as tf

# A process that is starved of its processor for less than this is not taken for dead.
_HEARTBEAT_MILLISECONDS = 300_000


@dataclass(frozen=True)
class Group:
    """Processes that share each batch in equal parts, and sum their gradients.

    All do the same at the same time. The first one alone has the run, and the time by which
    checkpoints are due.

    Attributes:
        strategy: what sums over them.
        rank: the number of this process, from 0.
        size: how many they are.
    """

    strategy: tf.distribute.Strategy
    rank: int
    size: int

    @property
    def is_first(self) -> bool:
        """Whether this is the process that has the run."""
        return self.rank == 0

    def agree(self, wanted: bool) -> bool:
        """Returns whether the first process wants something; all must ask at the same time."""
        flag = tf.constant(1.0 if wanted and self.is_first else 0.0)
        flags = self.strategy.run(lambda: tf.identity(flag))
        return bool(self.strategy.reduce(tf.distribute.ReduceOp.MEAN, flags, axis=None) > 0.0)

    def device_names(self) -> list[str]:
        """Returns TensorFlow's names of the devices of all processes, if all have as many."""
        own = [name.rpartition("/")[2] for name in self.strategy.extended.worker_devices]
        return [
            f"/job:worker/replica:0/task:{rank}/{name}" for rank in range(self.size) for name in own
        ]


_joined: Group | None = None


def joined() -> Group | None:
    """Returns the group of this process, or None."""
    return _joined


def join() -> Group:
    """Makes this process one of the group that the variable `TF_CONFIG` describes.

    It must come before anything else that TensorFlow does, and lasts as long as the process.
    """
    global _joined
    # Private modules, which no other training shall depend on: the public interface has no word on
    # heartbeats.
    from tensorflow.python.eager import context

    from apps.training.workers import keras_repairs

    task = json.loads(os.environ["TF_CONFIG"])
    size = len(task["cluster"]["worker"])
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        heartbeat_timeout_in_ms=_HEARTBEAT_MILLISECONDS,
        coordinated_jobs=[
            context.coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=size)
        ],
    )
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    keras_repairs.repair()
    _joined = Group(strategy, task["task"]["index"], size)
    return _joined
