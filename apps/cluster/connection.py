"""Ray, started for one command on this machine, or a cluster that runs already."""

import functools
import importlib.util
import inspect
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.errors import UserError
from data.messages import detail, say

# Read when Ray is imported, or by the processes that it starts. On a machine that is busy they
# need longer than Ray waits by default.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_raylet_start_wait_time_s": "600",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
    "RAY_health_check_timeout_ms": "60000",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "600",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    # Relative paths of options stay what they are.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_LOOPBACK = "127.0.0.1"
# Ray takes a loopback for a slip, and listens on all addresses instead, but where it knows no
# clusters: so this variable makes it behave on Linux, too.
_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
_PORTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "runtime_env_agent_port",
    "dashboard_agent_listen_port",
)
_STORE_BYTES = 100 * 2**20


def check_installed(wanted: str) -> None:
    """Refuses to go on without Ray.

    Args:
        wanted: what needs it.

    Raises:
        UserError: it is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise UserError(
            f"{wanted} needs the package ray. Install it with: pip install "
            '"recurrent-text-suite[cluster]"'
        )


@contextmanager
def connected(address: str | None, processors: int) -> Iterator[Any]:
    """Yields the module `ray`, connected to a cluster; what was started for it ends with the
    `with`.

    Args:
        address: of a cluster that runs, such as `auto` or `10.0.0.1:6379`; None to start one on
            this machine, which only this machine can reach.
        processors: that a cluster on this machine has to offer.

    Raises:
        UserError: there is no cluster at the address.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    # What Ray has to say of a process that died, it writes to standard output.
    ray._private.worker.print_to_stdstream = _tell_detail
    common: dict[str, Any] = {
        "log_to_driver": False,
        "configure_logging": True,
        "logging_level": logging.ERROR,
    }
    if address is not None:
        try:
            ray.init(address=address, **common)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"no Ray cluster at {address}: {reason}. Check --cluster") from None
        try:
            yield ray
        finally:
            ray.shutdown()
        return
    say("starting Ray ...")
    # Names of sockets are short.
    folder = tempfile.mkdtemp(prefix="ray")
    clusters = os.environ.get(_CLUSTERS)
    try:
        # Its processes read the variable.
        os.environ[_CLUSTERS] = "0"
        ray._private.ray_constants.ENABLE_RAY_CLUSTER = False
        _choose_ports(ray)
        ray.init(
            num_cpus=processors,
            include_dashboard=False,
            _node_ip_address=_LOOPBACK,
            _temp_dir=folder,
            object_store_memory=_STORE_BYTES,
            **common,
        )
        detail(f"Ray {ray.__version__} on {_LOOPBACK}, in {folder}")
        yield ray
    finally:
        ray.shutdown()
        ray._private.ray_constants.ENABLE_RAY_CLUSTER = clusters != "0"
        os.environ.pop(_CLUSTERS)
        if clusters is not None:
            os.environ[_CLUSTERS] = clusters
        shutil.rmtree(folder, ignore_errors=True)


def _choose_ports(ray: Any) -> None:
    """Chooses the ports of the helpers of Ray, before these start, and tells them to Ray. Else they
    choose them and write them into files, for which it waits 15 seconds, which is too short on a
    busy machine: it breaks off then, or waits for itself for ever."""
    services = ray._private.services
    start = getattr(services.start_raylet, "__wrapped__", services.start_raylet)

    @functools.wraps(start)
    def start_raylet(*arguments: Any, **options: Any) -> Any:
        given = inspect.signature(start).bind_partial(*arguments).arguments
        ports = {name: _find_port() for name in _PORTS}
        for name, port in ports.items():
            Path(given["session_dir"], f"{name}_{given['node_id']}").write_text(str(port))
        return start(*arguments, **{**options, **ports})

    services.start_raylet = start_raylet


def _tell_detail(data: dict[str, Any], *_: Any, **__: Any) -> None:
    """Tells lines of Ray as details, in the place of its function that prints them."""
    for line in data["lines"]:
        detail(f"Ray: {line}")


def _find_port() -> int:
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        return listener.getsockname()[1]
