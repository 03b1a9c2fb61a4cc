"""A group of processes that train together, by Ray Train: one that dies is replaced, and all begin
again from the last checkpoint."""

import os
import shutil
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.cluster.connection import connected
from apps.cluster.mailbox import Mailbox, MailHandler
from apps.commands.startup import import_tensorflow
from apps.terminal.errors import describe_error
from data.errors import UserError
from data.messages import LOGGER, warn

# Deaths of processes in one training until it is given up.
_MOST_DEATHS = 20
_POLL_SECONDS = 0.2


def train_in_group(
    work: Callable[[dict[str, Any]], None],
    job: dict[str, Any],
    workers: int,
    address: str | None,
    storage: Path,
) -> None:
    """Calls a function in each process of a group, which has joined `apps.training.workers.group`,
    until all come to their end.

    What the first one logs is logged here.

    Args:
        work: a function of a module that all machines have.
        job: its argument.
        workers: how many processes.
        address: of a Ray cluster, or None for this machine alone.
        storage: a folder that Ray may use meanwhile; all machines see it.

    Raises:
        UserError: a process has raised it, or too many processes died.
    """
    # Ray imports it, with its noise.
    import_tensorflow()
    with connected(address, workers) as ray:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.tensorflow import TensorflowTrainer

        mailbox = ray.remote(num_cpus=0)(Mailbox).remote()
        values = {
            "work": work,
            "job": job,
            "mailbox": mailbox,
            "folder": os.getcwd(),
            # On one machine they divide its processors among them.
            "threads": None if address else max(1, len(os.sched_getaffinity(0)) // workers),
            "level": LOGGER.level,
        }
        has_gpus = ray.cluster_resources().get("GPU", 0) >= workers
        try:
            trainer = TensorflowTrainer(
                _work,
                train_loop_config=values,
                scaling_config=ScalingConfig(num_workers=workers, use_gpu=has_gpus),
                run_config=RunConfig(
                    name="training",
                    storage_path=str(storage),
                    failure_config=FailureConfig(max_failures=_MOST_DEATHS),
                ),
            )
            _follow(ray, mailbox, trainer)
        finally:
            shutil.rmtree(storage, ignore_errors=True)


def _follow(ray: Any, mailbox: Any, trainer: Any) -> None:
    """Logs what the first process says until the training is over."""
    ended: list[Exception | None] = []

    def fit() -> None:
        try:
            trainer.fit()
        except Exception as error:
            ended.append(error)
        else:
            ended.append(None)

    # The main thread hears signals.
    threading.Thread(target=fit, daemon=True).start()
    done = False
    while not done:
        time.sleep(_POLL_SECONDS)
        done = bool(ended)
        try:
            letters = ray.get(mailbox.take.remote())
        except (OSError, ray.exceptions.RayError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f"Ray has ended: {reason}") from error
        for kind, *letter in letters:
            if kind == "said":
                LOGGER.log(*letter)
            elif kind == "mistaken":
                raise UserError(*letter)
            elif kind == "failed":
                raise RuntimeError(*letter)
    if ended[0] is not None:
        raise UserError(
            f"the training was given up after {_MOST_DEATHS} deaths of processes: "
            f"{str(ended[0]).splitlines()[0]}"
        )


def _work(values: dict[str, Any]) -> None:
    """What a process of the group does."""
    import ray.train
    from ray.train.collective import barrier

    # Ray asks for Keras 2.
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if values["threads"]:
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(values["threads"])
    os.chdir(values["folder"])
    is_first = ray.train.get_context().get_world_rank() == 0
    mailbox = values["mailbox"]
    LOGGER.propagate = False
    LOGGER.handlers = [MailHandler(mailbox)] if is_first else []
    LOGGER.setLevel(values["level"])
    if is_first and ray.get(mailbox.count_group.remote()):
        warn("a process was lost: all begin again from the last checkpoint")
    import tensorflow as tf

    from apps.training.workers.group import join

    try:
        join()
        values["work"](values["job"])
        barrier()
    except tf.errors.OpError as error:
        # The others are lost, and all have to begin again, unless it is one of a user.
        if not (line := describe_error(error)):
            raise
        ray.get(mailbox.put.remote("mistaken", line))
    except UserError as mistake:
        ray.get(mailbox.put.remote("mistaken", str(mistake)))
    except Exception as error:
        if line := describe_error(error):
            ray.get(mailbox.put.remote("mistaken", line))
        else:
            ray.get(mailbox.put.remote("failed", traceback.format_exc()))
